import { expect, test } from "vitest";
import { lines, stretches } from "./regions";

type Recording = Parameters<typeof stretches>[0];

test("gaps, pauses and absences come in order, each with a name", () => {
  const recording = {
    gaps: [
      { start_ms: 9000, end_ms: 9500, code: "gap.concealed", identity: "ann" },
      { start_ms: 1000, end_ms: 2000, code: "gap.paused" },
      { start_ms: 3000, end_ms: 4000, code: "gap.of_tomorrow" },
    ],
    absences: [{ start_ms: 5000, end_ms: 6000 }],
  } as unknown as Recording;
  expect(stretches(recording).map((one) => [one.startMs, one.name, one.kind, one.identity])).toEqual([
    [1000, "Paused", "paused", null],
    [3000, "of tomorrow", "gap", null],
    [5000, "Nobody there", "absent", null],
    [9000, "Lost on the way", "gap", "ann"],
  ]);
});

test("many short gaps of one person are one line, and nothing else is", () => {
  const short = (start: number, identity: string) =>
    ({ start_ms: start, end_ms: start + 100, code: "gap.concealed", identity });
  const recording = {
    gaps: [
      ...[1000, 2000, 3000, 4000].map((start) => short(start, "ann")),
      ...[1500, 2500, 3500].map((start) => short(start, "bob")),
      { start_ms: 2200, end_ms: 3200, code: "gap.concealed", identity: "ann" },
    ],
    absences: [],
  } as unknown as Recording;
  expect(lines(stretches(recording)).map((one) => [one.startMs, one.count, one.lostMs, one.identity])).toEqual([
    [1000, 4, 400, "ann"],
    [1500, 1, 100, "bob"],
    [2200, 1, 1000, "ann"],
    [2500, 1, 100, "bob"],
    [3500, 1, 100, "bob"],
  ]);
});
