import { useSignal } from "@preact/signals";
import { check } from "../api/client";
import { href } from "../routing";
import { endedBecause, signIn } from "./key";

/** Asks for the API key, and keeps one that the API knows. */
export function SignIn() {
  const value = useSignal("");
  const problem = useSignal<string | null>(endedBecause.value);
  const busy = useSignal(false);

  async function submit(event: Event) {
    event.preventDefault();
    const given = value.value.trim();
    if (!given) return void (problem.value = "Paste an API key first.");
    busy.value = true;
    problem.value = await check(given);
    busy.value = false;
    if (problem.value === null) signIn(given);
  }

  return (
    <main class="sign-in" id="main">
      <svg viewBox="0 0 32 32" width="44" height="44" aria-hidden="true">
        <rect width="32" height="32" rx="8" class="mark" />
        <path d="M8 13v6M13 9v14M18 12v8M23 7v18" class="mark-bars" />
      </svg>
      <h1>Sign in to Parley</h1>
      <p class="soft">
        With an API key of your organization. It stays in this tab, is sent to this server only, and is gone when you
        close the tab.
      </p>
      <form onSubmit={submit}>
        <label for="key">API key</label>
        <input
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          placeholder="parley_master_…"
          value={value.value}
          onInput={(event) => (value.value = event.currentTarget.value)}
          aria-describedby={problem.value ? "problem" : undefined}
          aria-invalid={problem.value ? true : undefined}
          autofocus
        />
        {problem.value && <p class="wrong" id="problem" role="alert">{problem.value}</p>}
        <button class="primary" disabled={busy.value}>{busy.value ? "Checking …" : "Sign in"}</button>
      </form>
      <p class="soft small">
        No key yet? <code>parley keys create</code> makes one; <code>make dev</code> prints a link that signs you in.
        The <a href={href("docs")}>API reference</a> needs none.
      </p>
    </main>
  );
}
