import type { Schemas } from "../../api/client";
import { codeEntry } from "../../api/codes";
import { STATUS_WORDS } from "../../parts/Status";
import { Time } from "../../parts/Time";

/** Each change of the status, and why. */
export function Timeline({ changes }: { changes: Schemas["StatusTransition"][] }) {
  return (
    <section class="card" aria-labelledby="timeline-title">
      <h2 id="timeline-title">Timeline</h2>
      <ol class="timeline">
        {changes.map((change) => (
          <li key={change.seq}>
            <span class="soft"><Time at={change.occurred_at} style="clock" /></span>
            <span>
              {STATUS_WORDS[change.status_to] ?? change.status_to}
              {change.code && <span class="soft small" title={codeEntry(change.code)?.help}> {change.code}</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
