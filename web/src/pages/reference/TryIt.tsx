import { useSignal } from "@preact/signals";
import { API_BASE } from "../../api/client";
import { key } from "../../sign_in/key";
import { pathOf } from "./curl";
import type { Operation } from "./document";

const MOST_CHARACTERS = 100_000;
// Streams don't end, and files are for saving.
const SHOWN = /json|text\/(plain|vtt|csv)|subrip/;

interface Shown {
  status: number;
  ms: number;
  text: string;
}

/** Asks the API, with the key of this tab. Only what changes nothing can be tried. */
export function TryIt({ operation }: { operation: Operation }) {
  const values = useSignal<Record<string, string>>({});
  const shown = useSignal<Shown | null>(null);
  const busy = useSignal(false);
  const asked = operation.parameters.filter((part) => part.in !== "header");

  async function run(event: Event) {
    event.preventDefault();
    busy.value = true;
    const began = performance.now();
    const headers: Record<string, string> = operation.scopes && key.peek() ? { Authorization: `Bearer ${key.peek()}` } : {};
    try {
      const answer = await fetch(API_BASE + pathOf(operation, (part) => (values.value[part.name] ?? "").trim()), { headers });
      const text = SHOWN.test(answer.headers.get("Content-Type") ?? "") ? pretty(await answer.text()) : "(not a text)";
      shown.value = { status: answer.status, ms: Math.round(performance.now() - began), text };
    } catch {
      shown.value = { status: 0, ms: Math.round(performance.now() - began), text: "No answer came." };
    } finally {
      busy.value = false;
    }
  }

  if (operation.scopes && !key.value) return <p class="soft small">Sign in to try it here.</p>;
  return (
    <form class="try" onSubmit={run} aria-label="Try it">
      {asked.length > 0 && (
        <div class="filters">
          {asked.map((part) => (
            <label key={part.name}>
              <span>{part.name}{part.required && " (required)"}</span>
              <input required={part.required ?? false} placeholder={part.example === undefined ? "" : String(part.example)} value={values.value[part.name] ?? ""}
                onInput={(event) => (values.value = { ...values.value, [part.name]: event.currentTarget.value })} />
            </label>
          ))}
        </div>
      )}
      <button class="primary" disabled={busy.value}>{busy.value ? "Asking …" : "Try it"}</button>
      {shown.value && (
        <div role="status" class="tried">
          <p><strong>{shown.value.status || "Failed"}</strong> <span class="soft small">{shown.value.ms} ms</span></p>
          <pre tabIndex={0}>{shown.value.text}</pre>
        </div>
      )}
    </form>
  );
}

function pretty(text: string): string {
  const cut = (long: string) => (long.length > MOST_CHARACTERS ? `${long.slice(0, MOST_CHARACTERS)}\n…` : long);
  try {
    return cut(JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    return cut(text);
  }
}
