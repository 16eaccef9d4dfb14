import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Schemas } from "../../../api/client";
import { codeEntry } from "../../../api/codes";
import { clock } from "../../../parts/duration";
import { playhead, seek } from "../playback/playhead";

type Segment = Schemas["TranscriptSegment"];

const NEAR_PX = 40;
const WRITTEN: Segment["source"][] = ["api", "lk.chat"];
const STATES: Record<string, string> = {
  none: "The session never ran, so nothing was said.",
  open: "What is written shows here at once; speech follows when the session is over, unless an agent transcribes it.",
  pending: "Speech is being recognized …",
  available: "Nobody said or wrote anything.",
  incomplete: "Speech is missing.",
};

/** Who said or wrote what. A line, or a word, leads to its place in the recording; what plays is marked. */
export function Transcript({ transcript, live }: { transcript: Schemas["TranscriptResource"]; live: boolean }) {
  const search = useSignal("");
  const wanted = search.value.trim().toLocaleLowerCase();
  const shown = transcript.segments.filter((one) => !wanted || textOf(one).toLocaleLowerCase().includes(wanted));
  const lines = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (live && atEnd.current) lines.current?.scrollTo(0, lines.current.scrollHeight);
  }, [transcript.segments.length]);
  return (
    <section class="card" aria-labelledby="transcript-title">
      <div class="heading tight">
        <h2 id="transcript-title">Transcript</h2>
        {transcript.segments.length > 0 && (
          <input
            type="search"
            class="search"
            placeholder="Search"
            aria-label="Search the transcript"
            value={search.value}
            onInput={(event) => (search.value = event.currentTarget.value)}
          />
        )}
      </div>
      {transcript.error && (
        <p class="notice">{codeEntry(transcript.error.code)?.help ?? transcript.error.message} <code>{transcript.error.code}</code></p>
      )}
      {(transcript.segments.length === 0 || transcript.status === "pending") && (
        <p class="soft">{STATES[transcript.status]}</p>
      )}
      {wanted && <p class="soft small" role="status">{shown.length} of {transcript.segments.length} lines</p>}
      <ol class="lines" ref={lines} tabIndex={0} aria-labelledby="transcript-title" onScroll={(event) => (atEnd.current = isAtEnd(event.currentTarget))}>
        {shown.map((segment) => <Line key={segment.seq} segment={segment} />)}
      </ol>
    </section>
  );
}

/** Who has scrolled back reads there, and is left there. */
function isAtEnd(list: HTMLElement): boolean {
  return list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
}

function Line({ segment }: { segment: Segment }) {
  const now = useComputed(() => {
    const at = playhead.value;
    return at !== null && segment.start_ms <= at && at < Math.max(segment.end_ms, segment.start_ms + 1);
  });
  return (
    <li class={now.value ? "line now" : "line"} aria-current={now.value ? "true" : undefined}>
      <button class="quiet small stamp" onClick={() => seek.value?.(segment.start_ms)} disabled={!seek.value}
        aria-label={`Play from ${clock(segment.start_ms)}`}>
        {clock(segment.start_ms)}
      </button>
      <div>
        <span class="speaker">{segment.speaker ?? segment.identity ?? segment.role}</span>
        {WRITTEN.includes(segment.source) && <span class="soft small"> wrote</span>}
        <p dir="auto"><Words segment={segment} /></p>
      </div>
    </li>
  );
}

function Words({ segment }: { segment: Segment }) {
  if (segment.text === null) return <span class="soft">Spoke; what, is not known{segment.reason && ` (${segment.reason})`}</span>;
  if (!segment.words?.length || !seek.value) return <>{segment.text}</>;
  return (
    <>
      {segment.words.map((word, at) => (
        <span key={at} class="word" onClick={() => seek.value?.(word.start_ms)}>{word.text} </span>
      ))}
    </>
  );
}

function textOf(segment: Segment): string {
  return `${segment.speaker ?? ""} ${segment.identity ?? ""} ${segment.text ?? ""}`;
}
