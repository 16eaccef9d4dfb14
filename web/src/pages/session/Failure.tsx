import type { Schemas } from "../../api/client";
import { codeEntry, FAULTS } from "../../api/codes";
import { sentence } from "../../parts/sentence";

/** What went wrong, whose fault it is, and what to do. */
export function Failure({ session }: { session: Schemas["SessionResource"] }) {
  if (!session.error) return null;
  const entry = codeEntry(session.error.code);
  return (
    <section class="problem" aria-label="What went wrong">
      <p><strong>{sentence(session.error.message ?? "The session failed")}</strong></p>
      {entry && <p>{entry.help}</p>}
      {entry && <p>Whose fault it is: {FAULTS[entry.fault] ?? entry.fault}.{entry.retryable && " A new session like it may succeed."}</p>}
      <p class="soft small"><code>{session.error.code}</code></p>
    </section>
  );
}
