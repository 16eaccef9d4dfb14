import { useSignal } from "@preact/signals";
import { answer, api, type Schemas } from "../api/client";
import { useLoaded } from "../api/useLoaded";
import { clock } from "../parts/duration";
import { isLive, Status } from "../parts/Status";
import { href } from "../routing";
import { type Conversation, end } from "./conversation";
import { Meters } from "./Meters";

const EVERY_MS = 500;

/** The conversation as it goes on: what Parley is doing, who is heard, what was written. */
export function Talking({ conversation, failed }: { conversation: Conversation; failed: (error: unknown) => void }) {
  const muted = useSignal(false);
  const stopping = useSignal(false);
  const { data } = useLoaded(
    async (signal) => {
      const init = { params: { path: { session_id: conversation.sessionId } }, signal };
      const [session, transcript] = await Promise.all([
        answer(api.GET("/v1/sessions/{session_id}", init)) as Promise<Schemas["SessionResource"]>,
        answer(api.GET("/v1/sessions/{session_id}/transcript", init)) as Promise<Schemas["TranscriptResource"]>,
      ]);
      return { session, transcript };
    },
    (got) => (got === null || isLive(got.session.status) ? EVERY_MS : null),
  );
  const session = data.value?.session;

  async function stop() {
    stopping.value = true;
    try {
      await end(conversation);
    } catch (error) {
      failed(error);
    }
    location.assign(href(`sessions/${conversation.sessionId}`));
  }

  async function mute() {
    muted.value = !muted.value;
    await (muted.value ? conversation.microphone.mute() : conversation.microphone.unmute());
  }

  return (
    <section class="card talking" aria-label="Conversation">
      <p class="row" role="status">
        {session ? <Status word={session.status} /> : <span class="soft">Making the session …</span>}
        {session?.started_at && <span class="live-clock">{clock(Date.now() - Date.parse(session.started_at))}</span>}
      </p>
      {session?.error && <p class="wrong" role="alert">{session.error.message ?? session.error.code}</p>}
      <Meters room={conversation.room} />
      <ol class="said">
        {data.value?.transcript.segments.slice(-6).map((one) => (
          <li key={one.seq}><span class="speaker">{one.speaker ?? one.identity ?? one.role}</span> {one.text}</li>
        ))}
      </ol>
      <div class="row">
        <button class="primary big" onClick={stop} disabled={stopping.value}>{stopping.value ? "Stopping …" : "Stop and listen"}</button>
        <button onClick={mute} aria-pressed={muted.value}>{muted.value ? "Unmute" : "Mute"}</button>
        <a href={href(`sessions/${conversation.sessionId}`)} target="_blank" rel="noopener">The session's page</a>
      </div>
    </section>
  );
}
