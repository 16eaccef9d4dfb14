import { useSignal } from "@preact/signals";
import { goWith } from "./access";

/** Asks where to talk. The secret stays in this tab: tokens are made here. */
export function AccessForm() {
  const url = useSignal(new URLSearchParams(location.search).get("livekit") ?? "");
  const ready = useSignal(false);
  const first = useSignal("");
  const second = useSignal("");
  const wrong = useSignal<string | null>(null);

  function submit(event: Event) {
    event.preventDefault();
    const server = url.value.trim().replace(/\/$/, "");
    if (!/^(wss?|https?):\/\/[^\s/;,]+$/.test(server)) {
      return void (wrong.value = "The server's URL is like wss://my-app.livekit.cloud, without a path.");
    }
    const [one, two] = [first.value.trim(), second.value.trim()];
    if (!one || !two) return void (wrong.value = "Both are needed.");
    goWith(
      ready.value
        ? { url: server, participantToken: one, workerToken: two }
        : { url: server, apiKey: one, apiSecret: two },
    );
  }

  return (
    <form class="card access" onSubmit={submit}>
      <h2>Which LiveKit server?</h2>
      <p class="soft">
        You talk in a room of your own server, and Parley records it. {ready.value ? "Tokens stay" : "The secret stays"} in
        this tab{ready.value ? ", but for the worker's, which Parley gets to join the room" : "; the tokens are made here"}.
      </p>
      <label>
        <span>Server</span>
        <input placeholder="wss://my-app.livekit.cloud" value={url.value} onInput={(e) => (url.value = e.currentTarget.value)} />
      </label>
      <div class="row" role="radiogroup" aria-label="How to get in">
        <label class="choice"><input type="radio" name="how" checked={!ready.value} onChange={() => (ready.value = false)} /> API key and secret</label>
        <label class="choice"><input type="radio" name="how" checked={ready.value} onChange={() => (ready.value = true)} /> Two tokens</label>
      </div>
      <label>
        <span>{ready.value ? "Your token" : "API key"}</span>
        <input autocomplete="off" spellcheck={false} value={first.value} onInput={(e) => (first.value = e.currentTarget.value)} />
      </label>
      <label>
        <span>{ready.value ? "The worker's token" : "API secret"}</span>
        <input type="password" autocomplete="off" value={second.value} onInput={(e) => (second.value = e.currentTarget.value)} />
      </label>
      {wrong.value && <p class="wrong" role="alert">{wrong.value}</p>}
      <button class="primary">Go on</button>
    </form>
  );
}
