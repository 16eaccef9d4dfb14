import type { Schemas } from "../../api/client";

export type Scope = Schemas["ApiKeyResource"]["scopes"][number];

/** What each scope lets a key do, in words. A scope without words does not pass the type check. */
export const SCOPE_WORDS: Record<Scope, string> = {
  "sessions:read": "See sessions and everything that was said and written in them",
  "sessions:read_metadata": "See that sessions exist and how they went, but nothing that was said or written",
  "sessions:write": "Start sessions, end and pause them, send messages",
  "sessions:delete": "Erase sessions for good",
  "usage:read": "See what is billed",
  "keys:manage": "Make, rotate and revoke keys",
  "webhooks:manage": "Say where events are posted to, and see what was posted",
};
