import type { Schemas } from "../../api/client";
import { codeEntry } from "../../api/codes";
import { clock } from "../../parts/duration";
import { Elapsed } from "../../parts/Elapsed";
import { isLive, Status } from "../../parts/Status";
import { Time } from "../../parts/Time";
import { href } from "../../routing";
import { type Who, whoOf } from "./who";

/** One session of the list; the whole row leads to it, its title is the link. */
export function SessionRow({ session }: { session: Schemas["SessionResource"] }) {
  const who = whoOf(session);
  return (
    <tr>
      <td class="cell-title">
        <a href={href(`sessions/${session.id}`)}>{titleOf(session)}</a>
        <span class="soft small clip">{session.preview ?? session.id}</span>
        {who && <span class="small clip below who-below"><WhoSpoke who={who} /></span>}
        <span class="soft small clip below"><Time at={session.created_at} /> · <Length session={session} /></span>
      </td>
      <td class="cell-status">
        <Status word={session.status} />
        {session.recording_state === "incomplete" && <span class="incomplete small" title="Something is missing by Parley's fault; the session's page says what.">incomplete</span>}
        <Reason session={session} />
      </td>
      <td class="number cell-length"><Length session={session} /></td>
      <td class="cell-spoke">{who ? <span class="clip"><WhoSpoke who={who} /></span> : <span class="soft">–</span>}</td>
      <td class="soft cell-who"><span class="clip">{session.external_customer_id ?? session.agent_id}</span></td>
      <td class="number cell-made"><Time at={session.created_at} /></td>
    </tr>
  );
}

function WhoSpoke({ who }: { who: Who }) {
  const names = who.names.length ? who.names.join(", ") : <span class="soft">nobody</span>;
  return <span title={who.words}>{names}{who.more && " …"}</span>;
}

/** What a session is called: its title, its room, or what it is. */
export function titleOf(session: Schemas["SessionResource"]): string {
  if (session.title) return session.title;
  if (session.transport?.type === "livekit") return session.transport.room_name;
  return session.kind === "text" ? "Text session" : session.id;
}

function Reason({ session }: { session: Schemas["SessionResource"] }) {
  const code = session.error?.code ?? session.end_reason;
  if (!code) return null;
  const words = codeEntry(code)?.help;
  return <span class="soft small clip" title={words ? `${words} (${code})` : code}>{words ?? code}</span>;
}

function Length({ session }: { session: Schemas["SessionResource"] }) {
  if (!session.started_at) return <>–</>;
  const end = session.ending_at ?? session.finished_at;
  if (end) return <>{clock(Date.parse(end) - Date.parse(session.started_at))}</>;
  return isLive(session.status) ? <Elapsed since={session.started_at} /> : <>–</>;
}
