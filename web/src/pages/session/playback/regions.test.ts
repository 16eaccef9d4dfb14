import { expect, test } from "vitest";
import { stretches } from "./regions";

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
