"""Transcripts that are made anew, with another engine or language: versions 2 and on. Version 1 is the log's.

One run at a time per session. A run that fails leaves no version behind; the next one takes its number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.ids import new_uuid
from sessions.session import Session
from sessions.texts.redaction import redact
from sessions.texts.transcript import TranscriptHead
from store.database.database import Database
from store.database.tables import transcript_versions, transcripts
from store.jobs.deferring import defer_remake
from store.lifecycle.leftovers import mark_leftovers
from store.lifecycle.locked_session import lock_session
from store.lifecycle.session_rows import read_session
from store.outputs.summaries import request_summary

RunState = Literal["generating", "available", "failed"]
Audio = Literal["tracks", "mix"]
"""What was heard: each participant's own file, or everybody together."""

_FACTS = ", ".join(column.name for column in transcript_versions.c if column.name != "segments")
_LAST = text(f"SELECT {_FACTS} FROM transcript_versions WHERE session_id = :id ORDER BY version DESC LIMIT 1")
_LOCK = text("SELECT id FROM sessions WHERE id = :id FOR NO KEY UPDATE")
_REQUEST = text(
    """
    INSERT INTO transcript_versions (session_id, version, run_id, state, asked_engine, asked_language, requested_at)
    VALUES (:id, :version, :run_id, 'generating', :engine, :language, statement_timestamp())
    ON CONFLICT (session_id, version) DO UPDATE SET
        run_id = excluded.run_id, state = 'generating', asked_engine = excluded.asked_engine,
        asked_language = excluded.asked_language, requested_at = excluded.requested_at, attempted_at = NULL,
        attempts = 0, finished_at = NULL, code = NULL, message = NULL, audio = NULL, segments = NULL
    """
)
_ATTEMPT = text(
    f"""
    UPDATE transcript_versions SET attempts = attempts + 1, attempted_at = statement_timestamp()
    WHERE session_id = :id AND state = 'generating'
    RETURNING {_FACTS}, requested_at < statement_timestamp() - make_interval(secs => :deadline_seconds) AS late
    """
)
_KEEP = text(
    """
    UPDATE transcript_versions SET engine = :engine, model = :model, language = :language, audio = :audio,
        segments = :segments
    WHERE session_id = :id AND run_id = :run_id AND state = 'generating'
    """
).bindparams(bindparam("segments", type_=JSONB))
_FINISH = text(
    """
    UPDATE transcript_versions SET state = 'available', finished_at = statement_timestamp()
    WHERE session_id = :id AND run_id = :run_id AND state = 'generating' AND audio IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class TranscriptRun:
    """The making of one version.

    Attributes:
        engine: what was asked for, and then what was used; None: the installation's.
        language: likewise, as BCP 47; None: the session's, or whatever it is.
        audio: None until it is made.
        code: why it failed, with `message`.
    """

    session_id: UUID
    run_id: UUID
    version: int
    state: RunState
    engine: str | None
    language: str | None
    audio: Audio | None
    requested_at: datetime
    finished_at: datetime | None
    code: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class RunWork:
    """A run that is to be done.

    Attributes:
        attempts: how many there have been, with this one.
        late: its deadline has passed.
        kept: the head of what an earlier attempt made and kept; None: it is to be made.
    """

    run: TranscriptRun
    session: Session
    attempts: int
    late: bool
    kept: TranscriptHead | None = None


@dataclass(frozen=True, slots=True)
class MadeVersion:
    """What a run made.

    Attributes:
        segments: {speaker, identity, role, text, reason, start_ms, end_ms, confidence, words} each, in the order of
            time; times are the recording's.
    """

    engine: str
    model: str | None
    language: str | None
    audio: Audio
    segments: Sequence[dict[str, Any]]


class TranscriptVersions:
    """The runs that make transcripts anew; the caller has checked that the session may be read or written."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def last(self, session_id: UUID) -> TranscriptRun | None:
        """The last run; None when there never was one."""
        async with self._db.begin() as conn:
            return await _last(conn, session_id)

    async def request(self, session_id: UUID, engine: str | None, language: str | None) -> TranscriptRun | None:
        """Start a run, unless one is going on, and return it; None when the session is gone."""
        async with self._db.begin() as conn:
            if (await conn.execute(_LOCK, {"id": session_id})).one_or_none() is None:
                return None
            last = await _last(conn, session_id)
            if last is None or last.state != "generating":
                version = 2 if last is None else last.version + (last.state == "available")
                values = {"version": version, "run_id": new_uuid(), "engine": engine, "language": language}
                await conn.execute(_REQUEST, {"id": session_id, **values})
            await defer_remake(conn, session_id)
            return await _last(conn, session_id)

    async def begin(self, session_id: UUID, deadline_seconds: float) -> RunWork | None:
        """Count an attempt; None when nothing is to be made."""
        async with self._db.begin() as conn:
            parameters = {"id": session_id, "deadline_seconds": deadline_seconds}
            row = (await conn.execute(_ATTEMPT, parameters)).one_or_none()
            if row is None:
                return None
            session = await read_session(conn, session_id)
            return RunWork(_run(row), session, row.attempts, row.late, None if row.audio is None else _head(row))

    async def keep(self, run: TranscriptRun, made: MadeVersion) -> bool:
        """Keep what was made, which nobody is served yet; False when the session is gone or has another run."""
        values = {
            "id": run.session_id,
            "run_id": run.run_id,
            "engine": made.engine,
            "model": made.model,
            "language": made.language,
            "audio": made.audio,
            "segments": list(made.segments),
        }
        async with self._db.begin() as conn:
            return (await conn.execute(_KEEP, values)).rowcount == 1

    async def finish(self, run: TranscriptRun, object_key: str) -> bool:
        """Serve what was kept from now on, also as the file of that key, and ask for its summary; returns as `keep`."""
        async with self._db.begin() as conn:
            if await lock_session(conn, run.session_id) is None:
                return False
            if (await conn.execute(_FINISH, {"id": run.session_id, "run_id": run.run_id})).rowcount != 1:
                return False
            served = update(transcripts).where(transcripts.c.session_id == run.session_id)
            await conn.execute(served.values(object_key=object_key))
            await request_summary(conn, run.session_id, again=False)
            await mark_leftovers(conn, run.session_id)  # of the version before
            return True

    async def fail(self, run: TranscriptRun, code: str, message: str) -> bool:
        """Note that the run made nothing; returns as `finish`."""
        columns = transcript_versions.c
        statement = (
            update(transcript_versions)
            .where(columns.session_id == run.session_id, columns.run_id == run.run_id, columns.state == "generating")
            .values(state="failed", finished_at=func.statement_timestamp(), code=code, message=redact(message))
        )
        async with self._db.begin() as conn:
            failed = (await conn.execute(statement)).rowcount == 1
            if failed:
                await mark_leftovers(conn, run.session_id)
            return failed


async def read_version(conn: AsyncConnection, session_id: UUID, version: int | None) -> Row[Any] | None:
    """A version that was made, without its segments; None asks for the newest, and says that there is no such one."""
    columns = transcript_versions.c
    known = (columns.version, columns.engine, columns.model, columns.language)
    query: Select[Any] = select(*known).where(columns.session_id == session_id, columns.state == "available")
    if version is not None:
        query = query.where(columns.version == version)
    newest = query.order_by(columns.version.desc()).limit(1)
    row: Row[Any] | None = (await conn.execute(newest)).one_or_none()
    return row


async def _last(conn: AsyncConnection, session_id: UUID) -> TranscriptRun | None:
    row = (await conn.execute(_LAST, {"id": session_id})).one_or_none()
    return None if row is None else _run(row)


def _head(row: Row[Any]) -> TranscriptHead:
    return TranscriptHead(
        state="available", engine=row.engine, model=row.model, language=row.language, version=row.version
    )


def _run(row: Row[Any]) -> TranscriptRun:
    return TranscriptRun(
        session_id=row.session_id,
        run_id=row.run_id,
        version=row.version,
        state=row.state,
        engine=row.engine or row.asked_engine,
        language=row.language or row.asked_language,
        audio=row.audio,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        code=row.code,
        message=row.message,
    )
