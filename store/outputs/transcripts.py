"""Transcripts: the session's log, read as segments, and the state of the job that closes each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.lifecycle import TERMINAL
from sessions.session import Session
from sessions.texts.redaction import redact
from sessions.texts.transcript import Transcript, TranscriptSegment, TranscriptState, in_time_order
from sessions.timestamps import MILLISECOND
from store.database.database import Database
from store.database.tables import log_entries, transcripts
from store.jobs.jobs import defer_finalize
from store.lifecycle import events
from store.lifecycle.locked_session import lock_session
from store.lifecycle.pauses import Pause, read_pauses
from store.lifecycle.session_rows import read_session
from store.outputs.recording_files import has_track_files
from store.outputs.transcript_versions import read_version

_END_OF_TIME = 1 << 62

_ATTEMPT = text(
    """
    UPDATE transcripts SET attempts = attempts + 1, attempted_at = statement_timestamp()
    WHERE session_id = :id AND state = 'pending'
    RETURNING attempts, created_at < statement_timestamp() - make_interval(secs => :deadline_seconds) AS late
    """
)
# Who publishes what somebody says, as agents do, says it best: our own text of that participant is left out.
_OURS_ALONE = """
    NOT (source = 'speech' AND coalesce(identity, '') IN (
        SELECT identity FROM log_entries t
        WHERE t.session_id = :id AND t.source = 'lk.transcription' AND t.final AND t.identity IS NOT NULL))
"""
# The log only grows, so the digest changes with every entry of the transcript, and with every version.
_DIGEST = text(
    f"""
    SELECT encode(sha256(convert_to(coalesce(string_agg(
        json_build_array(seq, identity, speaker, role, source, start_ms, end_ms, text)::text, E'\\n' ORDER BY seq
    ), '') || coalesce((
        SELECT version || segments::text FROM transcript_versions
        WHERE session_id = :id AND state = 'available' ORDER BY version DESC LIMIT 1
    ), ''), 'UTF8')), 'hex') FROM log_entries WHERE session_id = :id AND final AND {_OURS_ALONE}
    """
)


@dataclass(frozen=True, slots=True)
class TranscriptWork:
    """A transcript that is to be closed.

    Attributes:
        attempts: how many there have been, with this one.
        late: its deadline has passed, so it is closed without speech.
    """

    session: Session
    attempts: int
    late: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """How a transcript was closed.

    Attributes:
        engine: what recognized speech; None: no engine did, or there was none to recognize.
        code: why speech is missing, or some of it, with `message`.
    """

    engine: str | None = None
    model: str | None = None
    language: str | None = None
    code: str | None = None
    message: str | None = None


class Transcripts:
    """Reads transcripts, and keeps the state of the jobs that close them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def read(self, session: Session) -> Transcript:
        """The newest transcript as it is now; the caller has checked that the session may be read."""
        async with self._db.begin() as conn:
            made = await read_version(conn, session.id, None)
            return await _first(conn, session) if made is None else await _remade(conn, session, made)

    async def read_version(self, session: Session, version: int) -> Transcript | None:
        """One that was made anew (2 and on), or what was heard first (1); None when there is no such one."""
        async with self._db.begin() as conn:
            if version == 1:
                return await _first(conn, session)
            made = await read_version(conn, session.id, version)
            return None if made is None else await _remade(conn, session, made)

    async def exists(self, session_id: UUID) -> bool:
        """Whether the session still has a transcript."""
        query = select(transcripts.c.session_id).where(transcripts.c.session_id == session_id)
        async with self._db.begin() as conn:
            return (await conn.execute(query)).one_or_none() is not None

    async def begin(self, session_id: UUID, deadline_seconds: float) -> TranscriptWork | None:
        """Count an attempt; None when there is no transcript, or it is closed."""
        async with self._db.begin() as conn:
            parameters = {"id": session_id, "deadline_seconds": deadline_seconds}
            row = (await conn.execute(_ATTEMPT, parameters)).one_or_none()
            if row is None:
                return None
            return TranscriptWork(await read_session(conn, session_id), row.attempts, row.late)

    async def note_failure(self, session_id: UUID, code: str, message: str) -> None:
        """Note why an attempt failed; another one follows."""
        await self._update(session_id, closing=False, values={"code": code, "message": redact(message)})

    async def close(self, session_id: UUID, closing: Closing, object_key: str) -> bool:
        """Note how it was closed; False when the session is gone, or it was closed before."""
        return await self._update(
            session_id,
            closing=True,
            values={
                "state": "available" if closing.code is None else "incomplete",
                "finished_at": func.statement_timestamp(),
                "engine": closing.engine,
                "model": closing.model,
                "language": closing.language,
                "code": closing.code,
                "message": None if closing.message is None else redact(closing.message),
                "object_key": object_key,
            },
        )

    async def _update(self, session_id: UUID, *, closing: bool, values: dict[str, Any]) -> bool:
        statement = (
            update(transcripts)
            .where(transcripts.c.session_id == session_id, transcripts.c.state == "pending")
            .values(values)
        )
        async with self._db.begin() as conn:
            locked = await lock_session(conn, session_id) if closing else None
            written = (await conn.execute(statement)).rowcount == 1
            if written and locked is not None:
                type_ = f"transcript.{values['state']}"
                await events.append(conn, session_id, type_, epoch=locked.epoch, code=values["code"])
                if await has_track_files(conn, session_id):
                    await defer_finalize(conn, session_id)  # deletes the segments, if the files are made already
            return written


async def transcript_digest(conn: AsyncConnection, session_id: UUID) -> str:
    """SHA-256 in hex over the session's log, as far as it is final."""
    return str((await conn.execute(_DIGEST, {"id": session_id})).scalar_one())


async def _first(conn: AsyncConnection, session: Session) -> Transcript:
    """Everything final in the log."""
    sha256 = await transcript_digest(conn, session.id)
    row = (await conn.execute(select(transcripts).where(transcripts.c.session_id == session.id))).one_or_none()
    segments = in_time_order(await _logged(conn, session))
    if row is None:
        return Transcript(_state_without_row(session), segments, sha256)
    return Transcript(row.state, segments, sha256, row.engine, row.model, row.language, row.code, row.message)


async def _remade(conn: AsyncConnection, session: Session, made: Row[Any]) -> Transcript:
    """What was not recognized by us, from the log, and what this version recognized."""
    logged = await _logged(conn, session)
    last = max((segment.seq for segment in logged), default=0)
    spoken = [
        TranscriptSegment(seq=seq, final=True, source="speech", **segment)
        for seq, segment in enumerate(made.segments, start=last + 1)
    ]
    others = [segment for segment in logged if segment.source != "speech"]
    sha256 = await transcript_digest(conn, session.id)
    return Transcript(
        "available",
        in_time_order([*others, *spoken]),
        sha256,
        made.engine,
        made.model,
        made.language,
        version=made.version,
    )


async def _logged(conn: AsyncConnection, session: Session) -> list[TranscriptSegment]:
    """The log's final entries, in its order; where pauses are cut out of the file, times are the file's."""
    query = (
        select(log_entries)
        .where(log_entries.c.session_id == session.id, log_entries.c.final, text(_OURS_ALONE))
        .order_by(log_entries.c.seq)
    )
    left_out = await read_pauses(conn, session.id) if session.recording.on_pause == "cut" else ()
    started_at = session.started_at
    cuts = [] if started_at is None else [_in_ms(pause, started_at) for pause in left_out]

    def shifted(at_ms: int) -> int:
        return at_ms - sum(min(end, at_ms) - start for start, end in cuts if start < at_ms)

    return [_segment(row, started_at, shifted) for row in await conn.execute(query, {"id": session.id})]


def _in_ms(pause: Pause, started_at: datetime) -> tuple[int, int]:
    start = (pause.paused_at - started_at) // MILLISECOND
    return start, _END_OF_TIME if pause.resumed_at is None else (pause.resumed_at - started_at) // MILLISECOND


def _segment(row: Any, started_at: datetime | None, shifted: Callable[[int], int]) -> TranscriptSegment:
    start_ms = row.start_ms
    if start_ms is None:
        start_ms = 0 if started_at is None else max((row.created_at - started_at) // MILLISECOND, 0)
    words = row.words and [
        {**word, "start_ms": shifted(word["start_ms"]), "end_ms": shifted(word["end_ms"])} for word in row.words
    ]
    return TranscriptSegment(
        seq=row.seq,
        speaker=row.speaker,
        identity=row.identity,
        role=row.role,
        text=row.text,
        start_ms=shifted(start_ms),
        end_ms=shifted(max(row.end_ms or start_ms, start_ms)),
        final=row.final,
        confidence=row.confidence,
        words=words or None,
        source=row.source,
        reason=row.reason,
    )


def _state_without_row(session: Session) -> TranscriptState:
    if session.status in TERMINAL and session.started_at is None:
        return "none"
    return "open" if session.status not in TERMINAL else "available"
