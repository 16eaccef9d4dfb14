import type { Refusal } from "../api/client";
import { codeEntry } from "../api/codes";
import { sentence } from "./sentence";

/** Why something did not work, and what to do about it. */
export function Problem({ refusal, again }: { refusal: Refusal; again?: () => void }) {
  const entry = codeEntry(refusal.code);
  return (
    <div class="problem" role="alert">
      <p><strong>{sentence(refusal.message)}</strong></p>
      {entry && <p>{entry.help}</p>}
      <p class="soft small">
        <code>{refusal.code}</code>
        {refusal.requestId && <> · request <code>{refusal.requestId}</code></>}
      </p>
      {again && <button onClick={again}>Try again</button>}
    </div>
  );
}
