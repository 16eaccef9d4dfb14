import { useSignal } from "@preact/signals";
import { EventChoice } from "./EventChoice";

export interface EndpointFields {
  url: string;
  event_types: string[];
  description: string | null;
}

/** Asks where events go, and which. */
export function EndpointForm({ name, verb, given, save }: {
  name: string;
  verb: string;
  given?: EndpointFields;
  save: (fields: EndpointFields) => Promise<void>;
}) {
  const url = useSignal(given?.url ?? "");
  const description = useSignal(given?.description ?? "");
  const types = useSignal(given?.event_types ?? ["*"]);
  const busy = useSignal(false);

  async function submit(event: Event) {
    event.preventDefault();
    busy.value = true;
    await save({ url: url.value.trim(), event_types: types.value, description: description.value.trim() || null });
    busy.value = false;
  }

  return (
    <form class="card endpoint-form" onSubmit={submit} aria-label={name}>
      <div class="filters">
        <label class="wide"><span>URL</span><input type="url" required placeholder="https://hooks.example.com/parley" value={url.value} onInput={(event) => (url.value = event.currentTarget.value)} /></label>
        <label><span>What it is for</span><input maxLength={200} value={description.value} onInput={(event) => (description.value = event.currentTarget.value)} /></label>
      </div>
      <EventChoice types={types} />
      <button class="primary" disabled={busy.value || types.value.length === 0}>{verb}</button>
    </form>
  );
}
