import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { answer, api, type Schemas } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { Problem } from "../../parts/Problem";
import { Time } from "../../parts/Time";
import type { WholeSession } from "./useSession";

type SessionEvent = Schemas["SessionEvent"];

const PAGE = 100;

/** What happened, event by event; asked for when it is opened. */
export function Events({ id, whole }: { id: string; whole: ReadonlySignal<WholeSession | null> }) {
  const open = useSignal(false);
  return (
    <details class="card" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Events</summary>
      {open.value && <EventList id={id} whole={whole} />}
    </details>
  );
}

function EventList({ id, whole }: { id: string; whole: ReadonlySignal<WholeSession | null> }) {
  const known = useRef<SessionEvent[]>([]);
  const { data, problem } = useLoaded(
    async (signal) => {
      void whole.value; // read again because something happened
      return (known.current = [...known.current, ...(await behind(id, known.current.at(-1)?.seq ?? 0, signal))]);
    },
    () => null,
  );
  if (problem.value) return <Problem refusal={problem.value} />;
  if (!data.value) return <p class="soft" aria-busy="true">Loading …</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr><th scope="col">Time</th><th scope="col">Event</th><th scope="col">Data</th></tr>
        </thead>
        <tbody>
          {data.value.map((event) => (
            <tr key={event.id}>
              <td class="soft"><Time at={event.occurred_at} style="clock" /></td>
              <td><code>{event.type}</code>{event.code && <span class="soft small clip">{event.code}</span>}</td>
              <td><code class="small">{Object.keys(event.data).length ? JSON.stringify(event.data) : ""}</code></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The events behind the one with that number. */
async function behind(id: string, after: number, signal: AbortSignal): Promise<SessionEvent[]> {
  const found: SessionEvent[] = [];
  for (;;) {
    const query = { after, limit: PAGE };
    const page = await answer(api.GET("/v1/sessions/{session_id}/events", { params: { path: { session_id: id }, query }, signal }));
    found.push(...page.data);
    if (!page.has_more) return found;
    after = Number(page.next_cursor);
  }
}
