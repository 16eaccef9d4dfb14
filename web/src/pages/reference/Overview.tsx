import { API_BASE } from "../../api/client";
import { href } from "../../routing";
import type { Reference } from "./document";

/** What one needs to know before the first request. */
export function Overview({ reference }: { reference: Reference }) {
  return (
    <article class="overview">
      <h1>{reference.title} API <span class="soft small">{reference.version}</span></h1>
      <p>
        A session records one conversation in a LiveKit room of yours. You make it with the room's address and a token
        that lets our worker in; when it is over you have the recording, the transcript, and the bill.
      </p>
      <h2>First request</h2>
      <pre tabIndex={0}>{FIRST.replace("{base}", API_BASE)}</pre>
      <p class="soft small">
        All of it: <a href={href("docs?op=create_session")}>create a session</a>. Bodies are JSON, keys go into the
        header <code>Authorization</code>.
      </p>
      <h2>transport: where it takes place</h2>
      <p>
        <code>transport</code> says how our worker gets to the conversation. <code>type</code> is <code>livekit</code>:
      </p>
      <ul>
        <li><code>url</code> and <code>room_name</code> are the room, on a LiveKit server of yours (or of LiveKit's cloud).</li>
        <li>
          <code>worker_token</code> is an access token of LiveKit that you sign with your API key and secret, for this
          room, with <code>canSubscribe</code>. It is kept sealed and never shown. It must be good when the worker
          joins, not for all of the session.
        </li>
        <li>
          <code>audio_source</code> is what is recorded: <code>track</code>, the audio tracks of those in the room, or{" "}
          <code>data_stream</code>, audio that an agent of livekit-agents sends to an avatar, for whom the worker stands in.
        </li>
        <li><code>subscribe_to_identity</code> records one participant only; <code>e2ee</code> has the key of a room that is encrypted end to end.</li>
      </ul>
      <p class="soft small">The types <code>websocket</code> and <code>pipecat</code> are reserved, and refused today.</p>
      <h2>What refusals look like</h2>
      <p>
        Every refusal has a <code>code</code>, which never changes, and a message for people. <a href={href("docs?op=list_codes")}>The
        registry</a> says of each whose fault it is, whether to try again, and what to do. <code>X-Request-Id</code> is
        what to name when you ask somebody.
      </p>
      <h2>Repeating safely</h2>
      <p>
        A request with an <code>Idempotency-Key</code> can be sent again after a lost answer: it is done once. Lists have
        pages: <code>has_more</code> and <code>next_cursor</code> say how to go on. 429 and 503 come with <code>Retry-After</code>.
      </p>
      <p class="soft small"><a href={`${API_BASE}/openapi.json`} download>openapi.json</a> is this document for programs (OpenAPI 3.1).</p>
    </article>
  );
}

const FIRST = `curl -X POST "{base}/v1/sessions" \\
  -H "Authorization: Bearer $PARLEY_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"transport": {"type": "livekit", "url": "wss://my-app.livekit.cloud",
       "room_name": "support-42", "worker_token": "eyJ…"}}'`;
