// The API key of this tab. It lives in sessionStorage, goes nowhere but into the Authorization header, and is gone with
// the tab. `parley dev` hands it over in the fragment of a link, which browsers send to no server.
import { computed, signal } from "@preact/signals";

const PLACE = "parley.key";

/** A LiveKit server that this tab may mint tokens for; its secret stays in this tab. */
export interface LiveKitAccess {
  url: string;
  apiKey: string;
  apiSecret: string;
}

const LIVEKIT_PLACE = "parley.livekit";

const kept = signal(read(PLACE));

export const key = computed(() => kept.value);

/** Why the last sign-in ended, if not by its holder. */
export const endedBecause = signal<string | null>(null);

export function signIn(value: string): void {
  endedBecause.value = null;
  write(PLACE, value);
  kept.value = value;
}

export function signOut(): void {
  write(PLACE, null);
  write(LIVEKIT_PLACE, null);
  kept.value = null;
}

export function livekitAccess(): LiveKitAccess | null {
  const text = read(LIVEKIT_PLACE);
  return text ? (JSON.parse(text) as LiveKitAccess) : null;
}

export function keepLivekitAccess(access: LiveKitAccess): void {
  write(LIVEKIT_PLACE, JSON.stringify(access));
}

/** Takes what a link of `parley dev` hands over, and takes it out of the address. */
export function takeHandedOver(): void {
  if (!location.hash.startsWith("#hand-over&")) return;
  const handed = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
  const [apiKey, apiSecret, url] = [handed.get("livekit_key"), handed.get("livekit_secret"), handed.get("livekit_url")];
  if (apiKey && apiSecret && url) keepLivekitAccess({ url, apiKey, apiSecret });
  const value = handed.get("key");
  if (value) signIn(value);
}

function read(place: string): string | null {
  try {
    return sessionStorage.getItem(place);
  } catch {
    return null; // storage is forbidden: the key lasts as long as the page
  }
}

function write(place: string, value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, value);
  } catch {
    return;
  }
}
