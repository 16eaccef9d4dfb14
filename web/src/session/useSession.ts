// All that the page shows of a session, asked together: one refusal leaves the rest.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { answer, api, Refusal, type Schemas } from "../api/client";
import { useFollowed } from "../api/useFollowed";
import { type Loaded, useLoaded } from "../api/useLoaded";
import { isLive } from "../parts/Status";

const LIVE_MS = 2000; // while no stream tells what happens
const WORKING_MS = 2500; // on transcript and files, after the end, which ends the stream
const MOMENT_MS = 1000;

export interface WholeSession {
  session: Schemas["SessionResource"];
  recording: Schemas["RecordingResource"] | null;
  transcript: Schemas["TranscriptResource"] | null;
  summary: Schemas["SummaryResource"] | null;
  receipt: Schemas["Receipt"] | null;
  timeline: Schemas["StatusTransition"][];
}

/** What changes without an event while a session is recorded: how loud it is, and what is being said. */
export interface Moment {
  recording: Schemas["RecordingResource"] | null;
  transcript: Schemas["TranscriptResource"] | null;
}

/** The stream of one session's events, from its beginning. */
export function streamOf(id: string, status: Schemas["SessionResource"]["status"] | undefined): string | null {
  return status && isLive(status) ? `v1/sessions/${encodeURIComponent(id)}/events/stream` : null;
}

/** The session with the id, read again whenever something happened to it. */
export function useSession(id: string): Loaded<WholeSession> {
  return useFollowed(
    async (signal): Promise<WholeSession> => {
      const init = { params: { path: { session_id: id } }, signal };
      const [session, summary, receipt, timeline, moment] = await Promise.all([
        answer(api.GET("/v1/sessions/{session_id}", init)),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/summary", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/receipt", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/timeline", init))),
        momentOf(id, signal),
      ]);
      return {
        session: session as Schemas["SessionResource"],
        summary,
        receipt,
        timeline: timeline?.data ?? [],
        ...moment,
      };
    },
    (all) => streamOf(id, all?.session.status),
    (all) => (all === null || isLive(all.session.status) ? LIVE_MS : isWorking(all) ? WORKING_MS : null),
  );
}

/** The present moment of a session that is recorded; null: it is not. */
export function useMoment(id: string, whole: Loaded<WholeSession>): ReadonlySignal<Moment | null> {
  const running = useComputed(() => whole.data.value?.session.status === "running");
  const { data } = useLoaded(
    async (signal) => (running.value ? momentOf(id, signal) : null),
    (moment) => (moment ? MOMENT_MS : null),
  );
  return data;
}

async function momentOf(id: string, signal: AbortSignal): Promise<Moment> {
  const init = { params: { path: { session_id: id } }, signal };
  const [recording, transcript] = await Promise.all([
    unlessRefused(answer(api.GET("/v1/sessions/{session_id}/recording", init))),
    unlessRefused(answer(api.GET("/v1/sessions/{session_id}/transcript", init))),
  ]);
  return { recording, transcript: transcript as Schemas["TranscriptResource"] | null };
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
