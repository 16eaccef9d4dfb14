import type { Schemas } from "../api/client";

type Word = Schemas["SessionResource"]["status"];

/** What each status means, in words. */
export const STATUS_WORDS: Record<Word, string> = {
  created: "Created",
  queued: "Waiting for a worker",
  starting: "Joining the room",
  running: "Recording",
  paused: "Paused",
  ending: "Finishing",
  ended: "Ended",
  failed: "Failed",
  canceled: "Canceled",
};

/** Whether the status is one that changes by itself. */
export function isLive(word: Word): boolean {
  return !["ended", "failed", "canceled"].includes(word);
}

export function Status({ word }: { word: Word }) {
  return <span class={`status status-${word}`}>{STATUS_WORDS[word] ?? word}</span>;
}
