// Which sums are shown, which the address' query says: what one sees can be sent to somebody else.
import { computed } from "@preact/signals";
import { go, query } from "../../routing";

export const MONTHS = { current_month: "This month", previous_month: "The month before" } as const;
export const GROUPS = { day: "Day", agent_id: "Agent", external_customer_id: "Customer", quality: "Quality" } as const;

/** The reader's own, where months and days begin. */
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

interface Choice {
  period: keyof typeof MONTHS;
  group: keyof typeof GROUPS;
}

/** A value that nobody offers is the first one. */
export const chosen = computed<Choice>(() => ({
  period: query.value.get("period") === "previous_month" ? "previous_month" : "current_month",
  group: (Object.keys(GROUPS) as Choice["group"][]).find((name) => name === query.value.get("by")) ?? "day",
}));

/** Changes one of them. */
export function choose(name: "period" | "by", value: string): void {
  const changed = new URLSearchParams(query.value);
  changed.set(name, value);
  go(`usage?${changed}`, { replace: true });
}
