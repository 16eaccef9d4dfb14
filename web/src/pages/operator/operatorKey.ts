// The key of whoever runs the installation: in this tab only, and apart from an organization's key.
import { computed, signal } from "@preact/signals";
import { api, type Refusal, refusalOf, type Schemas } from "../../api/client";
import { OPERATOR_PLACE, read, write } from "../../sign_in/kept";

const kept = signal(read(OPERATOR_PLACE));

export const operatorKey = computed(() => kept.value);

export function keepOperatorKey(value: string | null): void {
  write(OPERATOR_PLACE, value);
  kept.value = value;
}

/** The installation in numbers, as the key shows it; a refusal is thrown. */
export async function overview(key: string, signal?: AbortSignal): Promise<Schemas["OperatorOverview"]> {
  const headers = { Authorization: `Bearer ${key}` };
  const { data, error, response } = await api.GET("/v1/operator/overview", { headers, ...(signal ? { signal } : {}) });
  if (data) return data;
  throw refusalOf(response, error) satisfies Refusal;
}
