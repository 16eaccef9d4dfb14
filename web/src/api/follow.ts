// Follows one of the API's streams of events by fetch, as EventSource can't send a key.
import { key } from "../sign_in/key";
import { API_BASE } from "./client";
import { type SentEvent, SentEventReader } from "./sentEvents";

/** The API sends something every 15 s; a stream that is silent for longer is dead. */
const SILENT_MS = 40_000;
const COME_BACK_MS = 2000;
const LONGEST_MS = 60_000;

export interface Following {
  /** Something happened. */
  happened: (event: SentEvent) => void;
  /** Whether the stream is open now: while it is not, its reader has to look himself. */
  open: (isOpen: boolean) => void;
}

/**
 * Follows `path` from now on, or from where it begins, and comes back to where it was when it is cut off. A tab that
 * nobody looks at has no stream: browsers open six connections to a server, for all tabs together.
 *
 * @returns ends it.
 */
export function follow(path: string, following: Following): () => void {
  const events = new SentEventReader();
  let cancel: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  async function run(): Promise<void> {
    const own = (cancel = new AbortController());
    const outcome = await read(own).catch(() => "lost" as const);
    if (cancel !== own) return; // ended, or hidden
    following.open(false);
    cancel = null;
    if (outcome === "over") return;
    failures += 1;
    timer = setTimeout(run, Math.min((events.retryMs ?? COME_BACK_MS) * 2 ** (failures - 1), LONGEST_MS));
  }

  /** Reads until the stream ends; "over": nothing more is to come. */
  async function read(own: AbortController): Promise<"over" | "lost"> {
    const headers: Record<string, string> = { Accept: "text/event-stream", Authorization: `Bearer ${key.peek()}` };
    if (events.lastId !== null) headers["Last-Event-ID"] = events.lastId;
    let watch = setTimeout(() => own.abort(), SILENT_MS);
    try {
      const answer = await fetch(`${API_BASE}/${path}`, { headers, signal: own.signal, cache: "no-store" });
      if (answer.status === 204) return "over";
      if (answer.status === 410 || answer.status === 422) events.lastId = null; // begins anew
      if (!answer.ok || !answer.body) return [401, 403, 404].includes(answer.status) ? "over" : "lost";
      failures = 0;
      following.open(true);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "lost";
        clearTimeout(watch);
        watch = setTimeout(() => own.abort(), SILENT_MS);
        for (const event of events.take(value)) following.happened(event);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  function stop(): void {
    clearTimeout(timer);
    const own = cancel;
    cancel = null;
    own?.abort();
  }

  function look(): void {
    stop();
    if (document.hidden) following.open(false);
    else void run();
  }

  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    stop();
  };
}
