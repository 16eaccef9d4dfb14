import { useSignal } from "@preact/signals";
import { answer, api, Refusal, type Schemas } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { Problem } from "../../parts/Problem";
import { Time } from "../../parts/Time";
import { href } from "../../routing";
import { Attempts } from "./Attempts";
import { STATE_WORDS } from "./words";

type Delivery = Schemas["DeliveryResource"];

const ROWS = 20;
const PENDING_MS = 2000;
const QUIET_MS = 10_000;

/** What was sent; asked for when it is opened. */
export function Deliveries({ endpointId, enabled }: { endpointId: string; enabled: boolean }) {
  const open = useSignal(false);
  return (
    <details class="deliveries" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Deliveries</summary>
      {open.value && <DeliveryList endpointId={endpointId} enabled={enabled} />}
    </details>
  );
}

function DeliveryList({ endpointId, enabled }: { endpointId: string; enabled: boolean }) {
  const state = useSignal<Delivery["state"] | "">("");
  const after = useSignal<string | null>(null);
  const refused = useSignal<Refusal | null>(null);
  const { data, problem, again } = useLoaded(
    (signal) => {
      const query = {
        limit: ROWS,
        ...(state.value ? { state: state.value } : {}),
        ...(after.value ? { starting_after: after.value } : {}),
      };
      return answer(api.GET("/v1/webhook_endpoints/{endpoint_id}/deliveries", { params: { path: { endpoint_id: endpointId }, query }, signal }));
    },
    (list) => (list?.data.some((one) => one.state === "pending") ? PENDING_MS : QUIET_MS),
  );

  async function redeliver(one: Delivery) {
    refused.value = null;
    try {
      await answer(api.POST("/v1/deliveries/{delivery_id}/redeliver", { params: { path: { delivery_id: one.id } } }));
      again();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.value = error;
    }
  }

  const list = data.value;
  return (
    <>
      <label class="inline delivery-filter">
        <span class="hidden">State</span>
        <select value={state.value} onChange={(event) => {
          state.value = event.currentTarget.value as Delivery["state"] | "";
          after.value = null;
        }}>
          <option value="">All of the last 30 days</option>
          {Object.entries(STATE_WORDS).map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </select>
      </label>
      {problem.value && <Problem refusal={problem.value} again={again} />}
      {refused.value && <Problem refusal={refused.value} />}
      {!list && !problem.value && <p class="soft" aria-busy="true">Loading …</p>}
      {list?.data.length === 0 && <p class="soft">{after.value || state.value ? "Nothing like that was sent." : "Nothing was sent yet."}</p>}
      <ul class="delivery-list">
        {list?.data.map((one) => <DeliveryRow key={one.id} one={one} enabled={enabled} redeliver={() => redeliver(one)} />)}
      </ul>
      <nav class="pager" aria-label="Pages of the deliveries">
        {after.value && <button onClick={() => (after.value = null)}>Newest</button>}
        {list?.has_more && <button onClick={() => (after.value = list.data.at(-1)?.id ?? null)}>Older</button>}
      </nav>
    </>
  );
}

function DeliveryRow({ one, enabled, redeliver }: { one: Delivery; enabled: boolean; redeliver: () => void }) {
  return (
    <li>
      <details>
        <summary>
          <code>{one.event_type}</code>
          <span class={`delivery-state delivery-${one.state}`}>{STATE_WORDS[one.state]}</span>
          <span class="soft number"><Time at={one.created_at} /></span>
        </summary>
        <Attempts attempts={one.attempts} />
        <p class="row soft small">
          {enabled && one.state !== "pending" && <button class="small" onClick={redeliver}>Send it again</button>}
          {one.next_attempt_at && <span>Next attempt <Time at={one.next_attempt_at} style="long" /></span>}
          {one.session_id && <a href={href(`sessions/${one.session_id}`)}>The session</a>}
          <code>{one.event_id}</code>
        </p>
      </details>
    </li>
  );
}
