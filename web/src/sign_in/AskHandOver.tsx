import { accept, decline, type HandedOver } from "./handOver";
import { key } from "./key";
import { LIVEKIT_PLACE, read } from "./kept";

/** Asks whether a link may sign in, and names what that replaces. */
export function AskHandOver({ handed }: { handed: HandedOver }) {
  const replaced = replacedServer();
  return (
    <main class="sign-in" id="main">
      <div role="alertdialog" aria-labelledby="asked" aria-describedby="what">
        <h1 id="asked">Let a link sign you in?</h1>
        <div id="what">
          <p>The link that you opened brings these. Whoever made it may see what you do with them.</p>
          <ul>
            {handed.key && (
              <li>
                An API key that ends in <code>{ending(handed.key)}</code>
                {key.value && <>. It replaces the one that you are signed in with, which ends in <code>{ending(key.value)}</code></>}.
              </li>
            )}
            {handed.livekit && (
              <li>
                The LiveKit server <code>{handed.livekit.url}</code>, where your voice would go
                {replaced && <>. It replaces <code>{replaced}</code></>}.
              </li>
            )}
          </ul>
          <p>Say yes only if you have just asked for this link, as from <code>parley dev</code> in your own terminal.</p>
        </div>
        <div class="row">
          <button class="primary" onClick={decline} autofocus>Leave all as it is</button>
          <button onClick={() => accept(handed)}>Take what the link brings</button>
        </div>
      </div>
    </main>
  );
}

function ending(text: string): string {
  return text.slice(-4);
}

function replacedServer(): string | null {
  const kept = read(LIVEKIT_PLACE);
  return kept ? (JSON.parse(kept) as { url: string }).url : null;
}
