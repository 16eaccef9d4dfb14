import { useSignal } from "@preact/signals";
import { answer, api, type Schemas } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { isLive, Status } from "../../parts/Status";
import { href } from "../../routing";
import { endSession, forgetLeft, type Left } from "./conversation";

/** The conversation that a reload has cut off: it is recorded until somebody ends it, and one can go on with it. */
export function LeftBehind({ left, goOn, busy, failed }: {
  left: Left;
  goOn: () => void;
  busy: boolean;
  failed: (error: unknown) => void;
}) {
  const gone = useSignal(false);
  const { data } = useLoaded(async (signal) => {
    const params = { path: { session_id: left.sessionId } };
    const session = (await answer(api.GET("/v1/sessions/{session_id}", { params, signal }))) as Schemas["SessionResource"];
    if (!isLive(session.status) || session.status === "ending") forgetLeft();
    return session;
  }, () => null);

  async function finish() {
    try {
      await endSession(left.sessionId);
      location.assign(href(`sessions/${left.sessionId}`));
    } catch (error) {
      failed(error);
      gone.value = true;
      forgetLeft();
    }
  }

  const session = data.value;
  if (!session || gone.value || !isLive(session.status) || session.status === "ending") return null;
  return (
    <div class="notice" role="status">
      <p class="row"><strong>Your last conversation goes on:</strong> <Status word={session.status} /></p>
      <div class="row">
        <button class="primary" onClick={goOn} disabled={busy}>{busy ? "Joining …" : "Go on talking"}</button>
        <button onClick={finish} disabled={busy}>End it and listen</button>
        <a href={href(`sessions/${left.sessionId}`)}>Its page</a>
      </div>
    </div>
  );
}
