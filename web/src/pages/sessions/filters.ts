// The filters of the list, which are the address' query: what one sees can be sent to somebody else.
import { computed } from "@preact/signals";
import { go, query } from "../../routing";

export const FILTERS = ["status", "agent_id", "external_customer_id", "tag", "project_id", "created_after", "created_before", "archived"] as const;
export type Filter = (typeof FILTERS)[number];

/** Filter → its value in the address. */
export const filters = computed<Partial<Record<Filter, string>>>(() => {
  const found: Partial<Record<Filter, string>> = {};
  for (const name of FILTERS) {
    const value = query.value.get(name);
    if (value) found[name] = value;
  }
  return found;
});

/** The last session of the page before, if any. */
export const cursor = computed(() => query.value.get("starting_after"));

/** Changes one filter, and begins at the first page. */
export function filterBy(name: Filter, value: string): void {
  const changed = new URLSearchParams();
  for (const [other, kept] of Object.entries({ ...filters.value, [name]: value })) if (kept) changed.set(other, kept);
  go(`sessions${changed.size ? `?${changed}` : ""}`, { replace: true });
}

/** The address of the page that begins behind a session. */
export function pageAfter(last: string | null): string {
  const changed = new URLSearchParams(Object.entries(filters.value));
  if (last) changed.set("starting_after", last);
  return `sessions${changed.size ? `?${changed}` : ""}`;
}
