import type { Schemas } from "../../api/client";
import { Time } from "../../parts/Time";
import { outcome } from "./words";

/** Each request that was made, and what came back. */
export function Attempts({ attempts }: { attempts: Schemas["AttemptResource"][] }) {
  if (attempts.length === 0) return <p class="soft small">Nothing was sent yet.</p>;
  return (
    <ol class="attempts">
      {attempts.map((one) => (
        <li key={one.at}>
          <span class="soft"><Time at={one.at} style="clock" /></span>
          <span class={one.error ? "wrong" : ""}>{outcome(one)}</span>
          <span class="soft number">{one.ms.toLocaleString()} ms</span>
          {one.answer && <pre>{one.answer}</pre>}
        </li>
      ))}
    </ol>
  );
}
