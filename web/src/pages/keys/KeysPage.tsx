import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { answer, api, Refusal, type Schemas } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { Problem } from "../../parts/Problem";
import { Secret } from "../../parts/Secret";
import { isActive } from "./family";
import { KeyCard } from "./KeyCard";
import { MakeKey } from "./MakeKey";
import "./keys.css";

const PAGE = 100;

/** The organization's keys: who made which, what each may do, and when it stops. */
export function KeysPage() {
  useEffect(() => void (document.title = "Keys · Parley"), []);
  const { data, problem, again } = useLoaded(everyKey, () => null);
  const made = useSignal<Schemas["NewApiKey"] | null>(null);
  const making = useSignal(false);
  const refused = useSignal<Refusal | null>(null);

  async function run(task: () => Promise<Schemas["NewApiKey"] | undefined>) {
    refused.value = null;
    try {
      made.value = (await task()) ?? null;
      making.value = false;
      again();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.value = error;
      scrollTo(0, 0);
    }
  }

  const all = data.value ?? [];
  const active = all.filter((one) => isActive(one));
  const over = all.filter((one) => !isActive(one));
  return (
    <>
      <div class="heading">
        <h1>Keys</h1>
        <button class="primary" aria-expanded={making.value} onClick={() => (making.value = !making.value)}>Make a key</button>
      </div>
      {made.value && <Secret what="key" value={made.value.key} done={() => (made.value = null)} />}
      {refused.value && <Problem refusal={refused.value} />}
      {making.value && <MakeKey make={(body) => run(() => answer(api.POST("/v1/api_keys", { body })))} />}
      {problem.value && <Problem refusal={problem.value} again={again} />}
      {!data.value && !problem.value && <p class="soft" aria-busy="true">Loading …</p>}
      {active.map((one) => <KeyCard key={one.id} one={one} all={all} run={run} />)}
      {over.length > 0 && (
        <details>
          <summary>{over.length} revoked or expired</summary>
          {over.map((one) => <KeyCard key={one.id} one={one} all={all} run={run} />)}
        </details>
      )}
    </>
  );
}

async function everyKey(signal: AbortSignal): Promise<Schemas["ApiKeyResource"][]> {
  const found: Schemas["ApiKeyResource"][] = [];
  for (;;) {
    const last = found.at(-1)?.id;
    const query = { limit: PAGE, ...(last ? { starting_after: last } : {}) };
    const page = await answer(api.GET("/v1/api_keys", { params: { query }, signal }));
    found.push(...page.data);
    if (!page.has_more) return found;
  }
}
