// Where the player is, and how to move it: the transcript, the lanes and the keyboard share it.
import { signal } from "@preact/signals";

/** Milliseconds from the start of the recording; null: nothing is played. */
export const playhead = signal<number | null>(null);

type Seek = (ms: number) => void;

/** Moves the player; null while there is none. */
export const seek = signal<Seek | null>(null);
