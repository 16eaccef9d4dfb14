import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { answer, api, Refusal, type Schemas } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { Problem } from "../../parts/Problem";
import { Secret } from "../../parts/Secret";
import { EndpointCard } from "./EndpointCard";
import { EndpointForm } from "./EndpointForm";
import "./webhooks.css";

const PAGE = 100;
const EVERY_MS = 10_000;

/** Where events are posted to, and what became of them. */
export function WebhooksPage() {
  useEffect(() => void (document.title = "Webhooks · Parley"), []);
  const { data, problem, again } = useLoaded(everyEndpoint, () => EVERY_MS);
  const secret = useSignal<string | null>(null);
  const making = useSignal(false);
  const refused = useSignal<Refusal | null>(null);

  async function run(task: () => Promise<{ secret?: string } | void>): Promise<boolean> {
    refused.value = null;
    try {
      const got = await task();
      if (got?.secret) secret.value = got.secret;
      again();
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.value = error;
      scrollTo(0, 0);
      return false;
    }
  }

  async function make(body: Schemas["CreateWebhookEndpointRequest"]) {
    if (await run(() => answer(api.POST("/v1/webhook_endpoints", { body })))) making.value = false;
  }

  return (
    <>
      <div class="heading">
        <h1>Webhooks</h1>
        <button class="primary" aria-expanded={making.value} onClick={() => (making.value = !making.value)}>New endpoint</button>
      </div>
      {secret.value && <Secret what="secret" value={secret.value} done={() => (secret.value = null)} />}
      {refused.value && <Problem refusal={refused.value} />}
      {making.value && <EndpointForm name="New endpoint" verb="Make the endpoint" save={make} />}
      {problem.value && <Problem refusal={problem.value} again={again} />}
      {!data.value && !problem.value && <p class="soft" aria-busy="true">Loading …</p>}
      {data.value?.length === 0 && !making.value && (
        <div class="empty">
          <h2>Nothing is posted anywhere</h2>
          <p class="soft">An endpoint is a URL of yours that Parley posts events to as they happen, signed, until it says that it has them.</p>
        </div>
      )}
      {data.value?.map((one) => <EndpointCard key={one.id} one={one} run={run} />)}
    </>
  );
}

async function everyEndpoint(signal: AbortSignal): Promise<Schemas["WebhookEndpointResource"][]> {
  const found: Schemas["WebhookEndpointResource"][] = [];
  for (;;) {
    const last = found.at(-1)?.id;
    const query = { limit: PAGE, ...(last ? { starting_after: last } : {}) };
    const page = await answer(api.GET("/v1/webhook_endpoints", { params: { query }, signal }));
    found.push(...page.data);
    if (!page.has_more) return found;
  }
}
