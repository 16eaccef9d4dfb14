import { useSignal } from "@preact/signals";
import { answer, api, type Schemas } from "../../api/client";
import { Time } from "../../parts/Time";
import { descendants, isActive, nameOf } from "./family";
import { SCOPE_WORDS } from "./scopes";

type Key = Schemas["ApiKeyResource"];
type Run = (task: () => Promise<Schemas["NewApiKey"] | undefined>) => Promise<void>;

const GRACES: [number, string][] = [[0, "at once"], [3600, "in an hour"], [86_400, "in a day"], [7 * 86_400, "in a week"]];

/** One key, and what can be done with it. */
export function KeyCard({ one, all, run }: { one: Key; all: Key[]; run: Run }) {
  const asked = useSignal<"rotate" | "revoke" | null>(null);
  const maker = all.find((other) => other.id === one.created_by);
  const heir = all.find((other) => other.id === one.replaced_by);
  const works = isActive(one);
  return (
    <section class="card key" aria-label={nameOf(one)}>
      <div class="heading">
        <div>
          <h2>{nameOf(one)}</h2>
          <code class="soft">{one.prefix}…{one.last_four}</code>
        </div>
        {works && (
          <div class="row">
            <button aria-expanded={asked.value === "rotate"} onClick={() => (asked.value = asked.value === "rotate" ? null : "rotate")}>Rotate</button>
            <button class="danger" aria-expanded={asked.value === "revoke"} onClick={() => (asked.value = asked.value === "revoke" ? null : "revoke")}>Revoke</button>
          </div>
        )}
      </div>
      {asked.value === "rotate" && <Rotate one={one} run={run} />}
      {asked.value === "revoke" && <Revoke one={one} all={all} run={run} />}
      {one.kind === "master" ? (
        <p>May do everything in the organization.</p>
      ) : (
        <>
          <p class="key-agent">For the agent <strong>{one.agent_id}</strong>{one.scopes.length === 0 && ", and may do nothing"}</p>
          <ul>{one.scopes.map((scope) => <li key={scope}>{SCOPE_WORDS[scope]}</li>)}</ul>
        </>
      )}
      <p class="soft small">
        Made <Time at={one.created_at} /> by {one.created_by === null ? "the operator" : maker ? nameOf(maker) : <code>{one.created_by}</code>}
        {" · "}{one.last_used_at ? <>last used <Time at={one.last_used_at} /></> : "never used"}
        {one.revoked_at && <> · revoked <Time at={one.revoked_at} /></>}
        {!one.revoked_at && one.expires_at && <> · {works ? "stops" : "stopped"} working <Time at={one.expires_at} /></>}
        {one.replaced_by && <> · replaced by {heir ? nameOf(heir) : one.replaced_by}, manages no keys any more</>}
      </p>
    </section>
  );
}

function Rotate({ one, run }: { one: Key; run: Run }) {
  const grace = useSignal(3600);
  const params = { path: { key_id: one.id } };
  return (
    <div class="notice">
      <p>A new key takes its place, with the same scopes. The old one stops working:</p>
      <div class="row">
        <select aria-label="When the old key stops working" value={grace.value} onChange={(event) => (grace.value = Number(event.currentTarget.value))}>
          {GRACES.map(([seconds, words]) => <option key={seconds} value={seconds}>{words}</option>)}
        </select>
        <button class="primary" onClick={() => run(() => answer(api.POST("/v1/api_keys/{key_id}/rotate", { params, body: { grace_seconds: grace.value } })))}>Make the new key</button>
      </div>
    </div>
  );
}

function Revoke({ one, all, run }: { one: Key; all: Key[]; run: Run }) {
  const made = descendants(one, all).filter((other) => isActive(other));
  const revoke = (cascade: "true" | "false") =>
    run(async () => void (await answer(api.DELETE("/v1/api_keys/{key_id}", { params: { path: { key_id: one.id }, query: { cascade } } }))));
  return (
    <div class="notice">
      <p>
        It stops working at once and for good.{" "}
        {made.length > 0 && <>It made keys that go on working, and those made others: {made.map(nameOf).join(", ")}. If it leaked, revoke them, too.</>}
      </p>
      <div class="row">
        <button class="danger" onClick={() => revoke("false")}>{made.length ? "Revoke this key only" : "Revoke it"}</button>
        {made.length > 0 && <button class="danger" onClick={() => revoke("true")}>Revoke it and {made.length === 1 ? "the key" : `the ${made.length} keys`} that it made</button>}
      </div>
    </div>
  );
}
