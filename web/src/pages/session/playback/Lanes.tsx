import { useEffect, useRef } from "preact/hooks";
import type { Schemas } from "../../../api/client";
import { playhead, seek } from "./playhead";
import type { Stretch } from "./regions";

type Levels = Schemas["ParticipantLevels"];

const QUIETEST_DB = -60;
const HEIGHT = 28;

/** Who is heard when: a lane per participant, over the length of the recording. */
export function Lanes({ levels, durationMs, holes }: { levels: Levels[]; durationMs: number; holes: Stretch[] }) {
  return (
    <div class="lanes" onClick={seekByClick(durationMs)}>
      {levels.map((one) => (
        <div class="lane" key={one.identity}>
          <span class="lane-name clip">{one.identity}</span>
          <Lane levels={one} durationMs={durationMs} holes={holes.filter((hole) => hole.identity === one.identity)} />
        </div>
      ))}
      <Cursor durationMs={durationMs} />
    </div>
  );
}

function Lane({ levels, durationMs, holes }: { levels: Levels; durationMs: number; holes: Stretch[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const seen = canvas.current;
    if (!seen) return;
    const paint = () => draw(seen, levels, durationMs, holes);
    const watch = new ResizeObserver(paint);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    watch.observe(seen);
    scheme.addEventListener("change", paint);
    return () => {
      watch.disconnect();
      scheme.removeEventListener("change", paint);
    };
  }, [levels, durationMs, holes.length]);
  return <canvas ref={canvas} height={HEIGHT} role="img" aria-label={`How loud ${levels.identity} was`} />;
}

function Cursor({ durationMs }: { durationMs: number }) {
  const line = useRef<HTMLSpanElement>(null);
  const at = durationMs ? ((playhead.value ?? 0) / durationMs) * 100 : 0;
  useEffect(() => void line.current?.style.setProperty("left", `${at}%`), [at]);
  return <span class="lane-cursor" ref={line} aria-hidden="true" />;
}

function draw(canvas: HTMLCanvasElement, levels: Levels, durationMs: number, holes: Stretch[]): void {
  const scale = devicePixelRatio || 1;
  const width = Math.max(Math.round(canvas.clientWidth * scale), 1);
  const height = HEIGHT * scale;
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  if (!pen || !durationMs) return;
  const style = getComputedStyle(document.documentElement);
  pen.fillStyle = style.getPropertyValue("--accent");
  const cell = (levels.ms_per_level / durationMs) * width;
  levels.dbfs.forEach((db, at) => {
    const part = Math.max(1 - db / QUIETEST_DB, 0);
    if (part === 0) return;
    const tall = Math.max(part * height * 0.9, scale);
    pen.fillRect(at * cell, (height - tall) / 2, Math.max(cell - 0.5, scale), tall);
  });
  pen.fillStyle = style.getPropertyValue("--gap");
  for (const hole of holes) {
    pen.fillRect((hole.startMs / durationMs) * width, 0, ((hole.endMs - hole.startMs) / durationMs) * width, height);
  }
}

function seekByClick(durationMs: number) {
  return (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    seek.value?.(((event.clientX - box.left) / box.width) * durationMs);
  };
}
