import { useSignal } from "@preact/signals";
import { answer, api, Refusal } from "../../../api/client";
import { Problem } from "../../../parts/Problem";

/** A box that puts a message into the room while the session runs. */
export function Chat({ id, sent }: { id: string; sent: () => void }) {
  const text = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<Refusal | null>(null);

  async function submit(event: Event) {
    event.preventDefault();
    const content = text.value.trim();
    if (!content) return;
    busy.value = true;
    problem.value = null;
    try {
      const params = { path: { session_id: id }, header: { "Idempotency-Key": crypto.randomUUID() } };
      await answer(api.POST("/v1/sessions/{session_id}/messages", { params, body: { content, role: "user" } }));
      text.value = "";
      sent();
    } catch (error) {
      if (error instanceof Refusal) problem.value = error;
    } finally {
      busy.value = false;
    }
  }

  return (
    <form class="card chat" onSubmit={submit}>
      {problem.value && <Problem refusal={problem.value} />}
      <label for="message"><span>Message to the room</span></label>
      <div class="row nowrap">
        <input id="message" autocomplete="off" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
        <button disabled={busy.value}>Send</button>
      </div>
    </form>
  );
}
