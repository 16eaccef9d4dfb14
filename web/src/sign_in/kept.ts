// What this tab keeps. Where storage is forbidden nothing is kept, and a reload forgets.

export const KEY_PLACE = "parley.key";
export const LIVEKIT_PLACE = "parley.livekit";
export const TALK_PLACE = "parley.talk";
export const OPERATOR_PLACE = "parley.operator";

export function read(place: string): string | null {
  try {
    return sessionStorage.getItem(place);
  } catch {
    return null;
  }
}

export function write(place: string, value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, value);
  } catch {
    return;
  }
}
