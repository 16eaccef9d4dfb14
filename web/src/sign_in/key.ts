// The API key of this tab. It goes nowhere but into the Authorization header, and is gone with the tab. `parley dev`
// hands it over in the fragment of a link, which browsers send to no server.
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

/** Takes what a link of `parley dev` hands over, and takes it out of the address. */
export function takeHandedOver(): void {
  if (!location.hash.startsWith("#hand-over&")) return;
  const handed = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
  const [apiKey, apiSecret, url] = [handed.get("livekit_key"), handed.get("livekit_secret"), handed.get("livekit_url")];
  if (apiKey && apiSecret && url) write(LIVEKIT_PLACE, JSON.stringify({ url, apiKey, apiSecret }));
  const value = handed.get("key");
  if (value) signIn(value);
}
