import type { Schemas } from "../api/client";

export type Scope = Schemas["ApiKeyResource"]["scopes"][number];

/** What each scope lets a key do, in words: those that a key is offered here. */
export const SCOPE_WORDS: Partial<Record<Scope, string>> = {
  "sessions:read": "See sessions and everything that was said and written in them",
  "sessions:read_metadata": "See that sessions exist and how they went, but nothing that was said or written",
  "sessions:write": "Start sessions, end and pause them, send messages",
  "sessions:delete": "Erase sessions for good",
  "usage:read": "See what is billed",
  "keys:manage": "Make, rotate and revoke keys",
};
