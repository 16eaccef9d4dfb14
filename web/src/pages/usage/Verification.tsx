import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { answer, api, Refusal } from "../../api/client";
import { Problem } from "../../parts/Problem";
import { href } from "../../routing";
import { chosen, TIME_ZONE } from "./choice";
import { difference, type Found, NOTHING, type Unbalanced, verdict, withPage } from "./verification";

/** So many are asked for without a word of the reader: a long bill costs the API time. */
const UNASKED_PAGES = 4;
const MOST_SHOWN = 50;

/** The bills of the period, computed again: which balance, and which do not. */
export function Verification() {
  const found = useSignal<Found>(NOTHING);
  const busy = useSignal(true);
  const refused = useSignal<Refusal | null>(null);
  const turn = useSignal(0);
  const period = useComputed(() => chosen.value.period);
  const asking = useRef<AbortController>(new AbortController());

  async function read(from: Found, pages: number): Promise<void> {
    asking.current.abort();
    const own = (asking.current = new AbortController());
    found.value = from;
    busy.value = true;
    refused.value = null;
    try {
      for (let page = 0; page < pages; page++) {
        const query = { period: period.peek(), time_zone: TIME_ZONE, ...(found.peek().next ? { after: found.peek().next! } : {}) };
        const got = await answer(api.GET("/v1/usage/verification", { params: { query }, signal: own.signal }));
        if (own.signal.aborted) return;
        found.value = withPage(found.peek(), got);
        if (!got.has_more) break;
      }
    } catch (error) {
      if (own.signal.aborted) return;
      refused.value = error instanceof Refusal ? error : new Refusal("page.broken", String(error), 0, null, null);
    }
    busy.value = false;
  }

  useSignalEffect(() => {
    void [turn.value, period.value];
    void read(NOTHING, UNASKED_PAGES);
    return () => asking.current.abort();
  });

  const { next, sessions, unbalanced } = found.value;
  return (
    <section class="card verification" aria-label="Bills computed again" aria-busy={busy.value}>
      <h2>Computed again</h2>
      {refused.value && <Problem refusal={refused.value} again={() => void turn.value++} />}
      <p role="status" class={unbalanced.length ? "wrong" : undefined}>
        {busy.value ? `Computing the bills again … ${sessions ? `${sessions.toLocaleString("en")} so far` : ""}` : !refused.value && verdict(found.value)}
      </p>
      {unbalanced.length > 0 && (
        <ul class="unbalanced">
          {unbalanced.slice(0, MOST_SHOWN).map((bill) => <Wrong key={bill.session_id} bill={bill} />)}
        </ul>
      )}
      {unbalanced.length > MOST_SHOWN && <p class="soft small">The first {MOST_SHOWN} are shown; <code>parley usage verify</code> prints all.</p>}
      {!busy.value && !refused.value && next && (
        <p class="row">
          <span>The period has more.</span>
          <button onClick={() => void read(found.peek(), Infinity)}>Compute the rest, too</button>
        </p>
      )}
      <p class="soft small">
        Each session's bill is computed from its rows, the time that its workers have proven, and what its recording lacks,
        as <code>parley usage verify</code> does.
      </p>
    </section>
  );
}

function Wrong({ bill }: { bill: Unbalanced }) {
  const wrong = difference(bill);
  return (
    <li>
      <a href={href(`sessions/${bill.session_id}`)}>{bill.session_id}</a>{wrong && <>: <strong>{wrong}</strong></>}
      <ul>{bill.imbalances.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
    </li>
  );
}
