// All that the page shows of a session, asked together: one refusal leaves the rest.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { answer, api, Refusal, type Schemas } from "../../api/client";
import { useFollowed } from "../../api/useFollowed";
import type { Loaded } from "../../api/useLoaded";
import { isLive } from "../../parts/Status";
import { type Presence, usePresence } from "./presence";
import { type Heard, useHeard } from "./words/heard";

const LIVE_MS = 2000; // while no stream tells what happens
const WORKING_MS = 2500; // on transcript and files, after the end, which ends the stream

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

export interface FollowedSession extends Loaded<WholeSession> {
  /** What is said meanwhile, and the level. */
  heard: Heard;
  /** Who is in its room. */
  presence: Presence;
}

/** The stream of one session's events, from its beginning, and of what is said and how loud it is. */
export function streamOf(id: string, status: Schemas["SessionResource"]["status"] | undefined): string | null {
  return status && isLive(status) ? `v1/sessions/${encodeURIComponent(id)}/events/stream?live=true` : null;
}

/** The session with the id, read again whenever something happened to it. */
export function useSession(id: string): FollowedSession {
  const heard = useHeard(id);
  const presence = usePresence(id);
  const loaded = useFollowed(
    async (signal): Promise<WholeSession> => {
      const init = { params: { path: { session_id: id } }, signal };
      const [session, summary, receipt, timeline, moment] = await Promise.all([
        answer(api.GET("/v1/sessions/{session_id}", init)),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/summary", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/receipt", init))),
        unlessRefused(answer(api.GET("/v1/sessions/{session_id}/timeline", init))),
        momentOf(id, signal),
      ]);
      heard.read(moment.transcript?.segments ?? []);
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
    (message) => {
      heard.take(message);
      presence.take(message);
    },
  );
  return { ...loaded, heard, presence };
}

/** The present moment of a session that goes on; null: it does not. */
export function useMoment({ data, heard }: FollowedSession): ReadonlySignal<Moment | null> {
  return useComputed(() => {
    const whole = data.value;
    if (!whole || !isLive(whole.session.status)) return null;
    const { recording, transcript } = whole;
    const peak = heard.peak.value;
    return {
      recording: recording && peak !== undefined ? { ...recording, current_peak_dbfs: peak } : recording,
      transcript: transcript && { ...transcript, segments: heard.behind(transcript.segments) },
    };
  });
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
