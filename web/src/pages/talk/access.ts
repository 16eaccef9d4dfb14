// Where this tab talks, and by what right: a LiveKit server with its key and secret, or two tokens made elsewhere.
// Kept in sessionStorage, as the page is loaded anew when the server changes: its policy names the server.
import { LIVEKIT_PLACE, read, write } from "../../sign_in/kept";

export interface KeyAccess {
  url: string;
  apiKey: string;
  apiSecret: string;
}

export interface TokenAccess {
  url: string;
  participantToken: string;
  workerToken: string;
}

export type Access = KeyAccess | TokenAccess;

/** What is kept; null: nothing, or for another server than this page may talk to. */
export function keptAccess(): Access | null {
  const text = read(LIVEKIT_PLACE);
  return text ? (JSON.parse(text) as Access) : null;
}

/** Keeps it, and loads the page that may talk to that server. */
export function goWith(access: Access): void {
  write(LIVEKIT_PLACE, JSON.stringify(access));
  const target = new URL(location.href);
  target.hash = "";
  target.searchParams.set("livekit", access.url);
  location.assign(target);
}

export function forgetAccess(): void {
  write(LIVEKIT_PLACE, null);
  location.assign(location.pathname);
}

/** Whether this page's policy lets it talk to the server. */
export function mayTalkTo(url: string): boolean {
  return new URLSearchParams(location.search).get("livekit") === url;
}
