// What computing the bills of a period again came to, page by page.
import type { Schemas } from "../../api/client";

type Page = Schemas["UsageVerification"];
export type Unbalanced = Schemas["UnbalancedBill"];

export interface Found {
  sessions: number;
  running: number;
  unbalanced: Unbalanced[];
  /** Where to go on; null: that was all. */
  next: string | null;
}

export const NOTHING: Found = { sessions: 0, running: 0, unbalanced: [], next: null };

/** With one more page. */
export function withPage(found: Found, page: Page): Found {
  return {
    sessions: found.sessions + page.sessions,
    running: found.running + page.running,
    unbalanced: [...found.unbalanced, ...page.unbalanced],
    next: page.next_cursor,
  };
}

/** What was found, in a sentence. */
export function verdict({ sessions, running, unbalanced, next }: Found): string {
  const first = next === null ? "" : "the first ";
  const bills = sessions === 1 ? "1 bill" : `${sessions.toLocaleString("en")} bills`;
  if (sessions === 0) return next === null ? "No session was billed in this period." : "No bill was computed again yet.";
  if (unbalanced.length > 0) return `${unbalanced.length.toLocaleString("en")} of ${first}${bills} ${unbalanced.length === 1 ? "does" : "do"} not balance.`;
  const going = running > 0 ? ` ${running.toLocaleString("en")} of them ${running === 1 ? "is a session's that goes" : "are of sessions that go"} on.` : "";
  const whole = next !== null ? `The first ${bills} balance` : sessions === 1 ? "The 1 bill of this period balances" : `All ${bills} of this period balance`;
  return `${whole}.${going}`;
}

/** By how much the credits of a bill are wrong; null: they are right, and something else is not. */
export function difference({ credits, recomputed_credits }: Unbalanced): string | null {
  return credits === recomputed_credits ? null : `${credits} credits instead of ${recomputed_credits}`;
}
