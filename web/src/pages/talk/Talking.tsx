import { type Signal, useSignal } from "@preact/signals";
import { answer, api, type Schemas } from "../../api/client";
import { useFollowed } from "../../api/useFollowed";
import { Elapsed } from "../../parts/Elapsed";
import { isLive, Status } from "../../parts/Status";
import { href } from "../../routing";
import { useHeard } from "../session/words/heard";
import { usePresence } from "../session/presence";
import { streamOf } from "../session/useSession";
import { Waiting } from "../session/Waiting";
import { type Conversation, end } from "./conversation";
import { Meters } from "./Meters";
import { MicrophoneChoice } from "./MicrophoneChoice";

const EVERY_MS = 500; // while no stream tells what happens
const LINES = 6;

/** The conversation as it goes on: what Parley is doing, who is heard, what was written. */
export function Talking({ conversation, device, failed }: {
  conversation: Conversation;
  device: Signal<string>;
  failed: (error: unknown) => void;
}) {
  const muted = useSignal(false);
  const stopping = useSignal(false);
  const id = conversation.sessionId;
  const params = { path: { session_id: id } };
  const heard = useHeard(id);
  const presence = usePresence(id);
  const { data } = useFollowed(
    async (signal) => {
      const words = answer(api.GET("/v1/sessions/{session_id}/transcript", { params, signal })) as Promise<Schemas["TranscriptResource"]>;
      const [session, transcript] = await Promise.all([
        answer(api.GET("/v1/sessions/{session_id}", { params, signal })) as Promise<Schemas["SessionResource"]>,
        words.catch(() => null), // what was said before is less than whether it is recorded
      ]);
      if (transcript) heard.read(transcript.segments);
      return { session, segments: transcript?.segments ?? [] };
    },
    (got) => streamOf(id, got?.session.status ?? "queued"),
    (got) => (got === null || isLive(got.session.status) ? EVERY_MS : null),
    (message) => {
      heard.take(message);
      presence.take(message);
    },
  );
  const session = data.value?.session;
  const said = heard.behind(data.value?.segments ?? []).slice(-LINES);

  async function stop() {
    stopping.value = true;
    try {
      await end(conversation);
    } catch (error) {
      failed(error);
    }
    location.assign(href(`sessions/${id}`));
  }

  async function mute() {
    muted.value = !muted.value;
    await (muted.value ? conversation.microphone.mute() : conversation.microphone.unmute());
  }

  async function change(deviceId: string) {
    device.value = deviceId;
    try {
      await conversation.microphone.setDeviceId(deviceId || "default");
    } catch (error) {
      failed(error);
    }
  }

  return (
    <section class="card talking" aria-label="Conversation">
      <p class="row" role="status">
        {session ? <Status word={session.status} /> : <span class="soft">Making the session …</span>}
        {session?.started_at && <span class="live-clock"><Elapsed since={session.started_at} /></span>}
      </p>
      {session?.error && <p class="wrong" role="alert">{session.error.message ?? session.error.code}</p>}
      {session && <Waiting session={session} presence={presence} />}
      <Meters room={conversation.room} />
      <ol class="said">
        {said.map((one) => (
          <li key={one.seq}><span class="speaker">{one.speaker ?? one.identity ?? one.role}</span> {one.text}</li>
        ))}
      </ol>
      <div class="row">
        <button class="primary big" onClick={stop} disabled={stopping.value}>{stopping.value ? "Stopping …" : "Stop and listen"}</button>
        <button onClick={mute} aria-pressed={muted.value}>{muted.value ? "Unmute" : "Mute"}</button>
        <MicrophoneChoice chosen={device.value} choose={change} />
        <a href={href(`sessions/${id}`)} target="_blank" rel="noopener">The session's page</a>
      </div>
    </section>
  );
}
