// What a link of `parley dev` hands over, in its fragment, which browsers send to no server. Anybody can make such a
// link: it signs in by itself only where nobody is signed in, on a page of this machine. Else the reader is asked.
import { signal } from "@preact/signals";
import { KEY_PLACE, LIVEKIT_PLACE, read, write } from "./kept";
import { signIn } from "./key";

export interface HandedOver {
  key: string | null;
  livekit: { url: string; apiKey: string; apiSecret: string } | null;
}

/** What a link brought and nobody has said yes to. */
export const offered = signal<HandedOver | null>(null);

/** Takes what the link hands over out of the address; accepts it, or offers it. */
export function takeHandedOver(): void {
  if (!location.hash.startsWith("#hand-over&")) return;
  const handed = parsed(location.hash);
  history.replaceState(null, "", location.pathname + location.search);
  if (!handed.key && !handed.livekit) return;
  if (changesNothing(handed) || (isThisMachine(location.hostname) && !read(KEY_PLACE) && !read(LIVEKIT_PLACE))) {
    accept(handed);
  } else {
    offered.value = handed;
  }
}

export function accept(handed: HandedOver): void {
  if (handed.livekit) write(LIVEKIT_PLACE, JSON.stringify(handed.livekit));
  if (handed.key) signIn(handed.key);
  offered.value = null;
}

export function decline(): void {
  offered.value = null;
}

export function parsed(hash: string): HandedOver {
  const handed = new URLSearchParams(hash.slice(1));
  const [apiKey, apiSecret, url] = [handed.get("livekit_key"), handed.get("livekit_secret"), handed.get("livekit_url")];
  return { key: handed.get("key"), livekit: apiKey && apiSecret && url ? { url, apiKey, apiSecret } : null };
}

export function isThisMachine(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function changesNothing(handed: HandedOver): boolean {
  const sameKey = !handed.key || handed.key === read(KEY_PLACE);
  const sameLiveKit = !handed.livekit || JSON.stringify(handed.livekit) === read(LIVEKIT_PLACE);
  return sameKey && sameLiveKit;
}
