import { expect, test } from "vitest";
import { difference, type Found, NOTHING, verdict, withPage } from "./verification";

const WRONG = { session_id: "sess_1", milliseconds: 60_000, credits: "61.000", recomputed_credits: "60.000", imbalances: ["row 1 …"] };
const found = (changed: Partial<Found>): Found => ({ ...NOTHING, ...changed });

test.each([
  [found({}), "No session was billed in this period."],
  [found({ sessions: 1 }), "The 1 bill of this period balances."],
  [found({ sessions: 1234, running: 2 }), "All 1,234 bills of this period balance. 2 of them are of sessions that go on."],
  [found({ sessions: 2000, next: "2026" }), "The first 2,000 bills balance."],
  [found({ sessions: 37, unbalanced: [WRONG] }), "1 of 37 bills does not balance."],
  [found({ sessions: 500, unbalanced: [WRONG, WRONG], next: "2026" }), "2 of the first 500 bills do not balance."],
])("%o is said as it is", (what, sentence) => {
  expect(verdict(what)).toBe(sentence);
});

test("pages add up, and the last one says that it is the last", () => {
  const page = { object: "usage_verification", period: {} as never, sessions: 5, running: 1, balances: false, unbalanced: [WRONG], has_more: true, next_cursor: "x" } as const;
  const all = withPage(withPage(NOTHING, { ...page, unbalanced: [WRONG] }), { ...page, unbalanced: [], has_more: false, next_cursor: null });
  expect(all).toEqual({ sessions: 10, running: 2, unbalanced: [WRONG], next: null });
});

test("a bill whose credits are right is wrong in something else", () => {
  expect(difference(WRONG)).toBe("61.000 credits instead of 60.000");
  expect(difference({ ...WRONG, credits: "60.000" })).toBeNull();
});
