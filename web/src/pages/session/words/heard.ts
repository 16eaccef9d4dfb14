// What a session's stream has besides its events: what is said and written, as it comes, and the newest level.
import { type Signal, signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Schemas } from "../../../api/client";
import type { SentEvent } from "../../../api/sentEvents";

export type Segment = Schemas["TranscriptSegment"];

/** What came since the transcript and the recording were read. */
export class Heard {
  readonly segments: Signal<Segment[]> = signal([]);
  /** dBFS; null: silence; undefined: nothing came. */
  readonly peak: Signal<number | null | undefined> = signal(undefined);

  /** Takes a message of the stream; events change nothing. */
  take({ type, data }: SentEvent): void {
    if (type === "live.segment") this.segments.value = [...this.segments.peek(), JSON.parse(data) as Segment];
    else if (type === "live.level") this.peak.value = (JSON.parse(data) as { peak_dbfs: number | null }).peak_dbfs;
  }

  /** Forgets what these have, which were just read, as was the level. */
  read(known: Segment[]): void {
    const seqs = new Set(known.map((segment) => segment.seq));
    this.segments.value = this.segments.peek().filter((segment) => !seqs.has(segment.seq));
    this.peak.value = undefined;
  }

  /** These and what came since, in the order of time. */
  behind(known: Segment[]): Segment[] {
    const seqs = new Set(known.map((segment) => segment.seq));
    const others = this.segments.value.filter(({ seq }) => !seqs.has(seq) && seqs.add(seq));
    return [...known, ...others].sort((one, other) => one.start_ms - other.start_ms || one.seq - other.seq);
  }
}

/** One for as long as the page shows the session. */
export function useHeard(id: string): Heard {
  return useMemo(() => new Heard(), [id]);
}
