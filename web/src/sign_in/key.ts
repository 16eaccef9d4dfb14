// The API key of this tab. It goes nowhere but into the Authorization header, and is gone with the tab.
import { computed, signal } from "@preact/signals";
import { KEY_PLACE, LIVEKIT_PLACE, read, TALK_PLACE, write } from "./kept";

const kept = signal(read(KEY_PLACE));

export const key = computed(() => kept.value);

/** Why the last sign-in ended, if not by its holder. */
export const endedBecause = signal<string | null>(null);

export function signIn(value: string): void {
  endedBecause.value = null;
  write(KEY_PLACE, value);
  kept.value = value;
}

export function signOut(): void {
  write(KEY_PLACE, null);
  write(LIVEKIT_PLACE, null);
  write(TALK_PLACE, null);
  kept.value = null;
}
