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
