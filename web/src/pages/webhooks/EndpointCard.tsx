import { type Signal, useSignal } from "@preact/signals";
import { answer, api, type Schemas } from "../../api/client";
import { Time } from "../../parts/Time";
import { Attempts } from "./Attempts";
import { Deliveries } from "./Deliveries";
import { EndpointForm } from "./EndpointForm";
import { DISABLED_WORDS, STATE_WORDS } from "./words";

type Endpoint = Schemas["WebhookEndpointResource"];
type Run = (task: () => Promise<{ secret?: string } | void>) => Promise<boolean>;
type Asked = "change" | "rotate" | "replay" | "delete";

const BUTTONS: [Asked, string][] = [["change", "Change"], ["rotate", "Rotate secret"], ["replay", "Replay"], ["delete", "Delete"]];

/** One endpoint, what can be done with it, and what was sent to it. */
export function EndpointCard({ one, run }: { one: Endpoint; run: Run }) {
  const asked = useSignal<Asked | null>(null);
  const tested = useSignal<Schemas["DeliveryResource"] | "sending" | null>(null);
  const params = { path: { endpoint_id: one.id } };
  const enabled = one.status === "enabled";

  const turn = (status: Endpoint["status"]) =>
    run(async () => void (await answer(api.PATCH("/v1/webhook_endpoints/{endpoint_id}", { params, body: { status } }))));

  async function test() {
    tested.value = "sending";
    const sent = await run(async () => void (tested.value = await answer(api.POST("/v1/webhook_endpoints/{endpoint_id}/test", { params }))));
    if (!sent) tested.value = null;
  }

  return (
    <section class="card endpoint" aria-label={one.description ?? one.url}>
      <div class="heading">
        <div>
          <h2>{one.description ?? one.url}</h2>
          {one.description && <code class="soft">{one.url}</code>}
        </div>
        <div class="row">
          {enabled ? (
            <>
              <button onClick={test} disabled={tested.value === "sending"}>{tested.value === "sending" ? "Sending …" : "Test"}</button>
              <button onClick={() => turn("disabled")}>Disable</button>
            </>
          ) : (
            <button class="primary" onClick={() => turn("enabled")}>Enable</button>
          )}
        </div>
      </div>
      <Health one={one} />
      {tested.value && tested.value !== "sending" && <Tested delivery={tested.value} />}
      <p class="events">{one.event_types.map((type) => <code key={type} class="tag">{type === "*" ? "all events" : type}</code>)}</p>
      <p class="soft small">
        {one.agent_id && <>Only of the agent <strong>{one.agent_id}</strong> · </>}
        {one.includes_content ? "with" : "without"} what was said and written · made <Time at={one.created_at} />
        {one.old_secret_until && <> · the old secret signs, too, until <Time at={one.old_secret_until} /></>}
      </p>
      <div class="row actions">
        {BUTTONS.filter(([what]) => enabled || what !== "replay").map(([what, words]) => (
          <button key={what} class={what === "delete" ? "quiet danger small" : "quiet small"} aria-expanded={asked.value === what}
            onClick={() => (asked.value = asked.value === what ? null : what)}>{words}</button>
        ))}
      </div>
      {asked.value && <Asking what={asked} one={one} run={run} />}
      <Deliveries endpointId={one.id} enabled={enabled} />
    </section>
  );
}

function Health({ one }: { one: Endpoint }) {
  if (one.status === "disabled") {
    return (
      <p class="notice">
        <strong>Disabled</strong> <Time at={one.disabled_at} />. {one.disabled_reason && DISABLED_WORDS[one.disabled_reason]}{" "}
        Enabled again, it gets all that has happened since, as far as events are kept.
      </p>
    );
  }
  return (
    <>
      {one.failing_since && <p class="notice">Nothing was delivered since <Time at={one.failing_since} />.</p>}
      {one.replaying_since && <p class="soft" role="status">A replay is under way since <Time at={one.replaying_since} />.</p>}
    </>
  );
}

function Tested({ delivery }: { delivery: Schemas["DeliveryResource"] }) {
  const words = delivery.state === "pending" ? "No worker has taken the test yet: is parley webhooks running?" : STATE_WORDS[delivery.state];
  return (
    <div class={delivery.state === "succeeded" ? "good" : "notice"} role="status">
      <p><strong>Test: {words}</strong></p>
      <Attempts attempts={delivery.attempts} />
    </div>
  );
}

function Asking({ what, one, run }: { what: Signal<Asked | null>; one: Endpoint; run: Run }) {
  const since = useSignal(localNow(-3600));
  const params = { path: { endpoint_id: one.id } };

  async function act(task: () => Promise<{ secret?: string } | void>) {
    if (await run(task)) what.value = null;
  }

  if (what.value === "change") {
    return (
      <EndpointForm name="Change the endpoint" verb="Save" given={one}
        save={(body) => act(async () => void (await answer(api.PATCH("/v1/webhook_endpoints/{endpoint_id}", { params, body }))))} />
    );
  }
  if (what.value === "rotate") {
    return (
      <div class="notice">
        <p>A new secret is shown, once. For a day each request is signed with both, so that you can change it without a gap.</p>
        <button class="primary" onClick={() => act(() => answer(api.POST("/v1/webhook_endpoints/{endpoint_id}/rotate_secret", { params })))}>Show a new secret</button>
      </div>
    );
  }
  if (what.value === "replay") {
    const body = { since: new Date(since.value || Date.now()).toISOString(), types: ["*"] };
    return (
      <div class="notice">
        <p>Everything that this endpoint wants and that happened since then is sent again, with the ids that it had.</p>
        <div class="row">
          <input type="datetime-local" aria-label="Since when" value={since.value} onInput={(event) => (since.value = event.currentTarget.value)} />
          <button class="primary" disabled={!since.value} onClick={() => act(async () => void (await answer(api.POST("/v1/webhook_endpoints/{endpoint_id}/replay", { params, body }))))}>Send again</button>
        </div>
      </div>
    );
  }
  return (
    <div class="notice">
      <p>Nothing is sent to it any more, and what was sent is forgotten.</p>
      <button class="danger" onClick={() => act(async () => void (await answer(api.DELETE("/v1/webhook_endpoints/{endpoint_id}", { params }))))}>Delete it</button>
    </div>
  );
}

/** As a datetime-local field has it. */
function localNow(addSeconds: number): string {
  const date = new Date(Date.now() + addSeconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
