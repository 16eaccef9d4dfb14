import { answer, api, Refusal } from "../../../api/client";

export type AudioFormat = "wav" | "flac" | "opus" | "mp3";

const LONGEST_WAIT_SECONDS = 20;

/** A link to the recording that works for about an hour; waits until the form is made. */
export async function audioLink(id: string, format: AudioFormat, identity?: string): Promise<string> {
  for (;;) {
    try {
      const query = { format, redirect: "false" as const, ...(identity ? { identity } : {}) };
      const link = await answer(api.GET("/v1/sessions/{session_id}/audio", { params: { path: { session_id: id }, query } }));
      return (link as { url: string }).url;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "audio.not_ready") throw error;
      const seconds = Math.min(error.retryAfterSeconds ?? 2, LONGEST_WAIT_SECONDS);
      await new Promise((done) => setTimeout(done, seconds * 1000));
    }
  }
}
