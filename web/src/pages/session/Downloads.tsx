import { useSignal } from "@preact/signals";
import { answer, API_BASE, Refusal, type Schemas } from "../../api/client";
import { bytes } from "../../parts/duration";
import { Problem } from "../../parts/Problem";
import { key } from "../../sign_in/key";
import { type AudioFormat, audioLink } from "./playback/audioLink";

const AUDIO: [AudioFormat, string][] = [["wav", "WAV"], ["opus", "Opus"], ["mp3", "MP3"], ["flac", "FLAC"]];
const TEXTS: [string, string, string][] = [
  ["application/json", "JSON", "json"],
  ["text/vtt", "WebVTT", "vtt"],
  ["application/x-subrip", "SRT", "srt"],
  ["text/plain", "Text", "txt"],
];

/** The recording in its forms, and the transcript in its. */
export function Downloads({ id, recording, hasTranscript }: {
  id: string;
  recording: Schemas["RecordingResource"] | null;
  hasTranscript: boolean;
}) {
  const busy = useSignal<string | null>(null);
  const problem = useSignal<Refusal | null>(null);
  const hasAudio = recording?.state === "available" || recording?.state === "incomplete";
  if (!hasAudio && !hasTranscript) return null;
  const own = [...new Set(recording?.files.filter((file) => file.track === "participant").map((file) => file.identity))];

  async function run(name: string, work: () => Promise<void>) {
    busy.value = name;
    problem.value = null;
    try {
      await work();
    } catch (error) {
      if (error instanceof Refusal) problem.value = error;
    } finally {
      busy.value = null;
    }
  }

  return (
    <section class="card" aria-labelledby="downloads-title">
      <h2 id="downloads-title">Downloads</h2>
      {problem.value && <Problem refusal={problem.value} />}
      {hasAudio && (
        <>
          <p class="soft small">Recording{recording?.size_bytes ? ` · WAV ${bytes(recording.size_bytes)}` : ""}</p>
          <div class="row">
            {AUDIO.map(([format, name]) => (
              <button key={format} disabled={busy.value !== null} onClick={() => run(name, async () => save(await audioLink(id, format)))}>
                {busy.value === name ? "Being made …" : name}
              </button>
            ))}
          </div>
          {own.map((identity) => identity && (
            <div class="row" key={identity}>
              <button disabled={busy.value !== null} onClick={() => run(identity, async () => save(await audioLink(id, "wav", identity)))}>
                {busy.value === identity ? "Being made …" : `${identity}, alone`}
              </button>
            </div>
          ))}
        </>
      )}
      {hasTranscript && (
        <>
          <p class="soft small spaced">Transcript</p>
          <div class="row">
            {TEXTS.map(([type, name, suffix]) => (
              <button key={type} disabled={busy.value !== null} onClick={() => run(name, () => saveText(id, type, suffix))}>{name}</button>
            ))}
          </div>
        </>
      )}
    </section>
  );
}

async function saveText(id: string, type: string, suffix: string): Promise<void> {
  const headers = { Accept: type, Authorization: `Bearer ${key.peek()}` };
  const asked = fetch(`${API_BASE}/v1/sessions/${encodeURIComponent(id)}/transcript`, { headers });
  const text = await answer(asked.then(async (response) => ({
    response,
    data: response.ok ? await response.blob() : undefined,
    error: response.ok ? undefined : await response.json().catch(() => undefined),
  })) as Promise<{ data?: Blob; error?: unknown; response: Response }>);
  const url = URL.createObjectURL(text);
  save(url, `${id}.${suffix}`);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function save(url: string, name = ""): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
