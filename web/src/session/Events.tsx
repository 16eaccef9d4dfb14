import { useSignal } from "@preact/signals";
import { answer, api, type Schemas } from "../api/client";
import { useLoaded } from "../api/useLoaded";
import { Problem } from "../parts/Problem";
import { Time } from "../parts/Time";

const PAGE = 100;

/** What happened, event by event; asked for when it is opened. */
export function Events({ id, live }: { id: string; live: boolean }) {
  const open = useSignal(false);
  return (
    <details class="card" open={open.value} onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Events</summary>
      {open.value && <EventList id={id} live={live} />}
    </details>
  );
}

function EventList({ id, live }: { id: string; live: boolean }) {
  const { data, problem } = useLoaded(
    (signal) => everything(id, signal),
    () => (live ? 2000 : null),
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

async function everything(id: string, signal: AbortSignal): Promise<Schemas["SessionEvent"][]> {
  const found: Schemas["SessionEvent"][] = [];
  let after = 0;
  for (;;) {
    const query = { after, limit: PAGE };
    const page = await answer(api.GET("/v1/sessions/{session_id}/events", { params: { path: { session_id: id }, query }, signal }));
    found.push(...page.data);
    if (!page.has_more) return found;
    after = Number(page.next_cursor);
  }
}
