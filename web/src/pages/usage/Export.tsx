import { useSignal } from "@preact/signals";
import { API_BASE, Refusal, refusalOf } from "../../api/client";
import { Problem } from "../../parts/Problem";
import { key } from "../../sign_in/key";

const PAGE = 100;

/** The whole bill, row by row, as the API exports it. */
export function Export() {
  const rows = useSignal<number | null>(null);
  const refused = useSignal<Refusal | null>(null);

  async function save() {
    refused.value = null;
    rows.value = 0;
    try {
      const parts = await everyPage((count) => (rows.value = count));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
      link.download = "usage_events.csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      refused.value = error instanceof Refusal ? error : new Refusal("page.broken", String(error), 0, null, null);
    } finally {
      rows.value = null;
    }
  }

  return (
    <div>
      <button disabled={rows.value !== null} onClick={save}>{rows.value === null ? "Export all rows (CSV)" : `${rows.value.toLocaleString()} rows …`}</button>
      {refused.value && <Problem refusal={refused.value} />}
    </div>
  );
}

/** The pages of the ledger, one after the other; the header line only once. */
async function everyPage(progress: (rows: number) => void): Promise<string[]> {
  const parts: string[] = [];
  let next: string | null = `v1/usage/events?limit=${PAGE}`;
  while (next) {
    const headers = { Accept: "text/csv", Authorization: `Bearer ${key.value}` };
    const got: Response = await fetch(new URL(next, `${API_BASE}/`), { headers });
    if (!got.ok) throw refusalOf(got, await got.json().catch(() => undefined));
    const text = await got.text();
    parts.push(parts.length ? text.slice(text.indexOf("\r\n") + 2) : text);
    progress(parts.length * PAGE);
    const after = /[?&]after=(ue_\w+)/.exec(got.headers.get("Link") ?? "");
    next = after ? `v1/usage/events?limit=${PAGE}&after=${after[1]}` : null;
  }
  return parts;
}
