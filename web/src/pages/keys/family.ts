import type { Schemas } from "../../api/client";

type Key = Schemas["ApiKeyResource"];

/** Whether the key works now. */
export function isActive(one: Key, now = Date.now()): boolean {
  return !one.revoked_at && !(one.expires_at && Date.parse(one.expires_at) <= now);
}

/** The keys that a key made, and those that these made: what a cascade revokes with it. */
export function descendants(of: Key, all: Key[]): Key[] {
  const found: Key[] = [];
  const known = new Set([of.id]);
  let grown = true;
  while (grown) {
    grown = false;
    for (const one of all) {
      if (known.has(one.id) || !one.created_by || !known.has(one.created_by)) continue;
      known.add(one.id);
      found.push(one);
      grown = true;
    }
  }
  return found;
}

/** What a key is called. */
export function nameOf(one: Key): string {
  return one.name ?? `${one.prefix}…${one.last_four}`;
}
