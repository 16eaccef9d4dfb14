import { useSignal } from "@preact/signals";
import type { Schemas } from "../../api/client";
import { type Scope, SCOPE_WORDS } from "./scopes";

type Body = Schemas["CreateApiKeyRequest"];

/** Asks what the key is for and what it may do. */
export function MakeKey({ make }: { make: (body: Body) => Promise<void> }) {
  const kind = useSignal<Body["kind"]>("agent");
  const name = useSignal("");
  const agent = useSignal("");
  const day = useSignal("");
  const scopes = useSignal<Scope[]>(["sessions:read", "sessions:write"]);
  const busy = useSignal(false);

  async function submit(event: Event) {
    event.preventDefault();
    busy.value = true;
    const expires = day.value ? { expires_at: new Date(`${day.value}T00:00:00`).toISOString() } : {};
    const who = kind.value === "agent" ? { agent_id: agent.value.trim(), scopes: scopes.value } : {};
    await make({ kind: kind.value, ...who, ...(name.value.trim() ? { name: name.value.trim() } : {}), ...expires } as Body);
    busy.value = false;
  }

  function turn(scope: Scope, on: boolean) {
    scopes.value = on ? [...scopes.value, scope] : scopes.value.filter((one) => one !== scope);
  }

  return (
    <form class="card make-key" onSubmit={submit} aria-label="Make a key">
      <fieldset>
        <legend>For</legend>
        <label><input type="radio" name="kind" checked={kind.value === "agent"} onChange={() => (kind.value = "agent")} /> one agent, with chosen scopes</label>
        <label><input type="radio" name="kind" checked={kind.value === "master"} onChange={() => (kind.value = "master")} /> everything in the organization</label>
      </fieldset>
      <div class="filters">
        <label><span>Name</span><input value={name.value} placeholder="what it is for" maxLength={200} onInput={(event) => (name.value = event.currentTarget.value)} /></label>
        {kind.value === "agent" && (
          <label><span>Agent</span><input value={agent.value} placeholder="agent id" required onInput={(event) => (agent.value = event.currentTarget.value)} /></label>
        )}
        <label><span>Stops working on</span><input type="date" value={day.value} onInput={(event) => (day.value = event.currentTarget.value)} /></label>
      </div>
      {kind.value === "agent" && (
        <fieldset>
          <legend>May</legend>
          {(Object.entries(SCOPE_WORDS) as [Scope, string][]).map(([scope, words]) => (
            <label key={scope}>
              <input type="checkbox" checked={scopes.value.includes(scope)} onChange={(event) => turn(scope, event.currentTarget.checked)} />{" "}
              {words} <code class="soft">{scope}</code>
            </label>
          ))}
        </fieldset>
      )}
      <button class="primary" disabled={busy.value}>Make the key</button>
    </form>
  );
}
