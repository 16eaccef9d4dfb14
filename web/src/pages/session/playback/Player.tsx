import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import WaveSurfer from "wavesurfer.js";
import RegionsPlugin from "wavesurfer.js/plugins/regions";
import { answer, api, Refusal, type Schemas } from "../../../api/client";
import { clock, exact } from "../../../parts/duration";
import { Problem } from "../../../parts/Problem";
import { audioLink } from "./audioLink";
import { Lanes } from "./Lanes";
import { playhead, seek } from "./playhead";
import { lines, stretches } from "./regions";

const PIXELS = 2000;
const HEIGHT = 96;
const RATES = [0.75, 1, 1.25, 1.5, 2];
const STEP_SECONDS = 5;

/** Plays the recording. The waveform is drawn from peaks that the API made: no audio is read for it. */
export function Player({ id, recording }: { id: string; recording: Schemas["RecordingResource"] }) {
  const place = useRef<HTMLDivElement>(null);
  const wave = useRef<WaveSurfer | null>(null);
  const playing = useSignal(false);
  const rate = useSignal(1);
  const problem = useSignal<Refusal | null>(null);
  const drawn = useSignal<Schemas["WaveformResource"] | null>(null);
  const durationMs = recording.duration_ms ?? 0;
  const holes = stretches(recording);

  useEffect(() => {
    let gone = false;
    void open().catch((error: unknown) => {
      if (!gone) problem.value = error instanceof Refusal ? error : new Refusal("player", String(error), 0, null, null);
    });
    return () => {
      gone = true;
      wave.current?.destroy();
      wave.current = null;
      playhead.value = seek.value = null;
    };

    async function open() {
      const params = { path: { session_id: id }, query: { pixels: PIXELS } };
      const [waveform, url] = await Promise.all([
        answer(api.GET("/v1/sessions/{session_id}/waveform", { params })) as Promise<Schemas["WaveformResource"]>,
        audioLink(id, "wav"),
      ]);
      if (gone || !place.current) return;
      drawn.value = waveform;
      wave.current = draw(place.current, url, waveform, durationMs / 1000);
      const regions = wave.current.registerPlugin(RegionsPlugin.create());
      wave.current.on("ready", () => {
        for (const hole of holes.filter((one) => one.identity === null)) {
          const [start, end] = [hole.startMs / 1000, hole.endMs / 1000];
          regions.addRegion({ start, end, color: colorOf("--gap"), drag: false, resize: false });
        }
      });
      wave.current.on("play", () => (playing.value = true));
      wave.current.on("pause", () => (playing.value = false));
      wave.current.on("timeupdate", (seconds) => (playhead.value = seconds * 1000));
      seek.value = (ms) => {
        wave.current?.setTime(ms / 1000);
        playhead.value = ms;
      };
    }
  }, [id, recording.sha256]);

  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowLeft: -STEP_SECONDS, ArrowRight: STEP_SECONDS }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    seek.value?.(Math.min(Math.max((playhead.value ?? 0) + step * 1000, 0), durationMs));
  }

  function changeRate(value: number) {
    rate.value = value;
    wave.current?.setPlaybackRate(value, true);
  }

  return (
    <section class="card player" aria-label="Player">
      {problem.value && <Problem refusal={problem.value} />}
      <div
        ref={place}
        class="wave"
        role="slider"
        tabIndex={0}
        aria-label="Position in the recording"
        aria-valuemin={0}
        aria-valuemax={Math.round(durationMs / 1000)}
        aria-valuenow={Math.round((playhead.value ?? 0) / 1000)}
        aria-valuetext={`${clock(playhead.value ?? 0)} of ${clock(durationMs)}`}
        onKeyDown={onKeyDown}
      />
      {drawn.value && <Lanes levels={drawn.value.levels} durationMs={durationMs} holes={holes} />}
      <div class="row transport">
        <button class="primary play" onClick={() => void wave.current?.playPause()} disabled={!drawn.value}>
          {playing.value ? "Pause" : "Play"}
        </button>
        <span class="time">{clock(playhead.value ?? 0)} <span class="soft">/ {clock(durationMs)}</span></span>
        <span class="spring" />
        <label class="inline">
          <span class="hidden">Speed</span>
          <select value={String(rate.value)} onChange={(event) => changeRate(Number(event.currentTarget.value))}>
            {RATES.map((value) => <option key={value} value={String(value)}>{value}×</option>)}
          </select>
        </label>
      </div>
      {holes.length > 0 && (
        <ul class="holes">
          {lines(holes).map((hole) => (
            <li key={`${hole.startMs}-${hole.identity}-${hole.name}`}>
              <button class="quiet small" onClick={() => seek.value?.(hole.startMs)}>
                {clock(hole.startMs)} · {exact(hole.lostMs)}
              </button>
              {hole.name}{hole.count > 1 && `, ${hole.count} times`}{hole.identity && <span class="soft"> · {hole.identity}</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function draw(place: HTMLElement, url: string, waveform: Schemas["WaveformResource"], seconds: number): WaveSurfer {
  const peaks = Array.from({ length: waveform.channels }, (_, channel) =>
    Array.from({ length: waveform.length * 2 }, (_, at) => {
      const cell = at >> 1;
      return (waveform.data[(cell * waveform.channels + channel) * 2 + (at & 1)] ?? 0) / 128;
    }),
  );
  return WaveSurfer.create({
    container: place,
    url,
    peaks,
    duration: seconds,
    height: HEIGHT / waveform.channels,
    ...(waveform.channels > 1 ? { splitChannels: peaks.map(() => ({})) } : {}),
    waveColor: colorOf("--soft"),
    progressColor: colorOf("--accent"),
    cursorColor: colorOf("--accent-strong"),
    cursorWidth: 2,
    normalize: true,
    dragToSeek: true,
    cspNonce: document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "",
  });
}

function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
