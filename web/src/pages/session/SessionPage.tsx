import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Refusal, Schemas } from "../../api/client";
import { codeEntry } from "../../api/codes";
import { Copy } from "../../parts/Copy";
import { Elapsed } from "../../parts/Elapsed";
import { Problem } from "../../parts/Problem";
import { isLive, Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { titleOf } from "../sessions/SessionRow";
import { Chat } from "./words/Chat";
import { Commands } from "./Commands";
import { Downloads } from "./Downloads";
import { Events } from "./Events";
import { Failure } from "./Failure";
import { Player } from "./playback/Player";
import { Receipt } from "./Receipt";
import { Summary } from "./words/Summary";
import { Timeline } from "./Timeline";
import { Waiting } from "./Waiting";
import { Transcript } from "./words/Transcript";
import { useMoment, useSession } from "./useSession";
import "./session.css";

const STORED = ["available", "incomplete"];

/** One session: what it is doing, what was said, what it costs. */
export function SessionPage({ id }: { id: string }) {
  const whole = useSession(id);
  const moment = useMoment(whole);
  const { data, problem, again } = whole;
  const refused = useSignal<Refusal | null>(null);
  const all = data.value;
  useEffect(() => void (document.title = `${all ? titleOf(all.session) : "Session"} · Parley`), [all?.session.title]);
  if (!all) return problem.value ? <Problem refusal={problem.value} again={again} /> : <p class="soft" aria-busy="true">Loading …</p>;
  const { session } = all;
  const { recording, transcript } = moment.value ?? all;
  const live = isLive(session.status);
  return (
    <>
      <div class="heading">
        <div>
          <h1>{titleOf(session)}</h1>
          <p class="row facts">
            <Status word={session.status} />
            <Reason session={session} />
            <code class="soft">{session.id}</code> <Copy text={session.id} />
          </p>
        </div>
        <Commands session={session} done={again} refused={(refusal) => (refused.value = refusal)} />
      </div>
      {refused.value && <Problem refusal={refused.value} />}
      {problem.value && <Problem refusal={problem.value} again={again} />}
      <Failure session={session} />
      <Waiting session={session} presence={whole.presence} />
      {live && session.started_at && <Live session={session} recording={recording} />}
      {recording && STORED.includes(recording.state) && <Player key={recording.sha256} id={id} recording={recording} />}
      <div class="columns">
        <div>
          {all.summary?.content && <Summary content={all.summary.content} />}
          {transcript && <Transcript transcript={transcript} live={live} />}
          {["running", "created"].includes(session.status) && <Chat id={id} sent={again} />}
        </div>
        <div>
          <Facts session={session} />
          {all.receipt && <Receipt receipt={all.receipt} />}
          <Downloads id={id} recording={recording} hasTranscript={!!transcript?.segments.length && !live} />
          <Timeline changes={all.timeline} />
        </div>
      </div>
      <Events id={id} whole={data} />
    </>
  );
}

function Reason({ session }: { session: Schemas["SessionResource"] }) {
  if (!session.end_reason || session.error) return null;
  return <span class="soft">{codeEntry(session.end_reason)?.help ?? session.end_reason}</span>;
}

function Live({ session, recording }: { session: Schemas["SessionResource"]; recording: Schemas["RecordingResource"] | null }) {
  const peak = recording?.current_peak_dbfs ?? null;
  return (
    <section class="card live" aria-label="Now">
      <span class="live-clock">{session.started_at ? <Elapsed since={session.started_at} /> : "0:00"}</span>
      <span class="soft">Level</span>
      <meter min={-60} max={0} low={-50} value={peak ?? -60} aria-label="Peak level">{peak ?? "silent"}</meter>
      <span class="number">{peak === null ? "–" : `${peak.toFixed(1)} dBFS`}</span>
    </section>
  );
}

function Facts({ session }: { session: Schemas["SessionResource"] }) {
  const room = session.transport?.type === "livekit" ? session.transport : null;
  const facts: [string, string | null | undefined][] = [
    ["Room", room?.room_name],
    ["Server", room?.url],
    ["Agent", session.agent_id],
    ["Customer", session.external_customer_id],
    ["Project", session.project_id],
    ["Task", session.task_id],
    ["Quality", session.quality],
    ["Tags", session.tags.join(", ")],
  ];
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">Session</h2>
      <dl class="facts-list">
        {facts.map(([name, value]) => value && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        {session.start_at && <div><dt>Starts</dt><dd><Time at={session.start_at} style="long" /></dd></div>}
        <div><dt>Made</dt><dd><Time at={session.created_at} style="long" /></dd></div>
        {session.started_at && <div><dt>Began</dt><dd><Time at={session.started_at} style="long" /></dd></div>}
        {session.finished_at && <div><dt>Over</dt><dd><Time at={session.finished_at} style="long" /></dd></div>}
      </dl>
      {session.metadata && Object.keys(session.metadata).length > 0 && (
        <details>
          <summary>Metadata</summary>
          <pre>{JSON.stringify(session.metadata, null, 2)}</pre>
        </details>
      )}
    </section>
  );
}
