// The registry of codes, loaded once: what a code means, whose fault it is, and what to do.
import { signal } from "@preact/signals";
import { answer, api, type Schemas } from "./client";

type CodeEntry = Schemas["CodeEntry"];

const registry = signal<Map<string, CodeEntry> | null>(null);
let asked = false;

/** The registry's entry, once it is loaded. */
export function codeEntry(code: string | null | undefined): CodeEntry | undefined {
  if (!asked) {
    asked = true;
    answer(api.GET("/v1/codes", {}))
      .then((list) => (registry.value = new Map(list.data.map((entry) => [entry.code, entry]))))
      .catch(() => (asked = false));
  }
  return code ? registry.value?.get(code) : undefined;
}

/** Whose fault it is, in words. */
export const FAULTS: Record<string, string> = {
  customer: "yours",
  transport: "the room's server's, or of the way to it",
  platform: "Parley's",
  none: "nobody's",
};
