// What is not heard in a recording, as stretches with a name.
import type { Schemas } from "../../../api/client";

export interface Stretch {
  startMs: number;
  endMs: number;
  name: string;
  kind: "gap" | "paused" | "absent";
  identity: string | null;
}

const NAMES: Record<string, string> = {
  "gap.paused": "Paused",
  "gap.worker_lost": "Worker lost",
  "gap.rejoin": "Rejoining",
  "gap.concealed": "Lost on the way",
  "gap.storage": "Lost by the storage",
};

/** What a gap is called. */
export function gapName(code: string): string {
  return NAMES[code] ?? code.replace(/^gap\./, "").replaceAll("_", " ");
}

/** Gaps, pauses and absences of a recording, in order. */
export function stretches(recording: Schemas["RecordingResource"]): Stretch[] {
  const gaps = recording.gaps.map((gap): Stretch => ({
    startMs: gap.start_ms,
    endMs: gap.end_ms,
    name: gapName(gap.code),
    kind: gap.code === "gap.paused" ? "paused" : "gap",
    identity: gap.identity ?? null,
  }));
  const absences = recording.absences.map((absence): Stretch => ({
    startMs: absence.start_ms,
    endMs: absence.end_ms,
    name: "Nobody there",
    kind: "absent",
    identity: null,
  }));
  return [...gaps, ...absences].sort((a, b) => a.startMs - b.startMs);
}

export interface Line extends Stretch {
  /** How many stretches it stands for. */
  count: number;
  /** How long they are together. */
  lostMs: number;
}

const SHORT_MS = 500;
const MOST_SHORT = 3;

/** The stretches as lines of a list: many short ones of one kind and person are one line, at the first of them. */
export function lines(holes: Stretch[]): Line[] {
  const kindOf = (one: Stretch) => JSON.stringify([one.name, one.identity]);
  const isShort = (one: Stretch) => one.endMs - one.startMs <= SHORT_MS;
  const counts = new Map<string, number>();
  for (const one of holes.filter(isShort)) counts.set(kindOf(one), (counts.get(kindOf(one)) ?? 0) + 1);
  const folded = new Map<string, Line>();
  const found: Line[] = [];
  for (const one of holes) {
    const lostMs = one.endMs - one.startMs;
    const line = folded.get(kindOf(one));
    if (!isShort(one) || (counts.get(kindOf(one)) ?? 0) <= MOST_SHORT) {
      found.push({ ...one, count: 1, lostMs });
    } else if (line) {
      line.count += 1;
      line.lostMs += lostMs;
    } else {
      const first = { ...one, count: 1, lostMs };
      folded.set(kindOf(one), first);
      found.push(first);
    }
  }
  return found;
}
