import { Copy } from "./Copy";

/** A secret that is shown this once. */
export function Secret({ what, value, done }: { what: string; value: string; done: () => void }) {
  return (
    <div class="notice" role="status">
      <p><strong>Keep this {what} now: it is shown this once.</strong></p>
      <p><code>{value}</code></p>
      <p class="row"><Copy text={value} label={`Copy the ${what}`} /> <button class="quiet small" onClick={done}>I have it</button></p>
    </div>
  );
}
