// All that the page shows of a session, asked together: one refusal leaves the rest.
import { answer, api, Refusal, type Schemas } from "../api/client";
import { type Loaded, useLoaded } from "../api/useLoaded";
import { isLive } from "../parts/Status";

const LIVE_MS = 1000;
const WORKING_MS = 2500; // on transcript and files, after the end

export interface WholeSession {
  session: Schemas["SessionResource"];
  recording: Schemas["RecordingResource"] | null;
  transcript: Schemas["TranscriptResource"] | null;
  summary: Schemas["SummaryResource"] | null;
  receipt: Schemas["Receipt"] | null;
  timeline: Schemas["StatusTransition"][];
}

/** The session with the id, kept fresh while anything of it changes. */
export function useSession(id: string): Loaded<WholeSession> {
  return useLoaded(
    async (signal): Promise<WholeSession> => {
      const init = { params: { path: { session_id: id } }, signal };
      const [session, recording, transcript, summary, receipt, timeline] = await Promise.all([
        answer(api.GET("/v1/sessions/{session_id}", init)),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/recording", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/transcript", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/summary", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/receipt", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/timeline", init))),
      ]);
      return {
        session: session as Schemas["SessionResource"],
        recording,
        transcript: transcript as Schemas["TranscriptResource"] | null,
        summary,
        receipt,
        timeline: timeline?.data ?? [],
      };
    },
    (all) => (all === null || isLive(all.session.status) ? LIVE_MS : isWorking(all) ? WORKING_MS : null),
  );
}

function isWorking({ recording, transcript, summary }: WholeSession): boolean {
  return (
    transcript?.status === "pending" ||
    summary?.status === "generating" ||
    recording?.state === "finalizing" ||
    !!recording?.files.some((file) => file.state === "pending")
  );
}

async function unlessRefused<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refusal && error.status >= 400 && error.status < 500) return null;
    throw error;
  }
}
