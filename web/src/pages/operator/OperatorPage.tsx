import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Refusal } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { Problem } from "../../parts/Problem";
import { Figures } from "./Figures";
import { keepOperatorKey, operatorKey, overview } from "./operatorKey";
import "./operator.css";

const EVERY_MS = 5000;

/** The installation in numbers, for whoever runs it. */
export function OperatorPage() {
  useEffect(() => void (document.title = "Operator · Parley"), []);
  return operatorKey.value ? <Watch /> : <AskForKey />;
}

function AskForKey() {
  const value = useSignal("");
  const problem = useSignal<Refusal | null>(null);

  async function submit(event: Event) {
    event.preventDefault();
    problem.value = null;
    const given = value.value.trim();
    try {
      await overview(given);
      keepOperatorKey(given);
    } catch (error) {
      problem.value = error instanceof Refusal ? error : new Refusal("unreachable", "The API does not answer, or the text is no key.", 0, null, null);
    }
  }

  return (
    <form class="card operator-key" onSubmit={submit}>
      <h1>Operator</h1>
      <p class="soft">
        For whoever runs this installation: its queue, workers, jobs and storage in numbers, and nothing of what customers
        record. The key is the value of <code>PARLEY_OPERATOR_KEY</code>; it stays in this tab.
      </p>
      {problem.value && <Problem refusal={problem.value} />}
      <label><span>Operator key</span><input type="password" autocomplete="off" required value={value.value} onInput={(event) => (value.value = event.currentTarget.value)} /></label>
      <button class="primary">Look</button>
    </form>
  );
}

function Watch() {
  const { data, problem, again } = useLoaded((signal) => overview(operatorKey.value ?? "", signal), () => EVERY_MS);
  return (
    <>
      <div class="heading">
        <h1>Operator</h1>
        <button class="quiet" onClick={() => keepOperatorKey(null)}>Forget the key</button>
      </div>
      {problem.value && <Problem refusal={problem.value} again={again} />}
      {data.value ? <Figures found={data.value} /> : !problem.value && <p class="soft" aria-busy="true">Loading …</p>}
    </>
  );
}
