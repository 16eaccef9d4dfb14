"""Summaries: one run at a time per session, its result tied to the transcript that it read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.ids import format_id, new_uuid
from sessions.texts.redaction import redact
from store.database.database import Database
from store.database.tables import sessions, summaries
from store.jobs.deferring import defer_summarize
from store.lifecycle import events
from store.lifecycle.leftovers import mark_leftovers
from store.lifecycle.locked_session import lock_session
from store.outputs.transcript_digest import transcript_digest

RunState = Literal["generating", "available", "failed"]

_RUN_OF_JOB = text(
    """
    UPDATE summaries s SET attempted_at = statement_timestamp() WHERE s.session_id = :id AND s.state = 'generating'
    RETURNING s.run_id, s.requested_at < statement_timestamp() - interval '1 day' AS late, EXISTS (
        SELECT FROM transcripts t WHERE t.session_id = s.session_id AND t.state = 'pending') AS waits
    """
)


@dataclass(frozen=True, slots=True)
class SummaryRun:
    """The last run, and what is stored.

    Attributes:
        workflow_id: the same for every run of a session.
        code: why it failed, with `message`.
        object_key: of `summary.json`; None: there is none.
        is_current: `summary.json` was made from the transcript as it is now.
        read_current: the last run read the transcript as it is now, whether or not it made a summary.
    """

    session_id: UUID
    run_id: UUID
    state: RunState
    requested_at: datetime
    finished_at: datetime | None
    code: str | None
    message: str | None
    object_key: str | None
    is_current: bool
    read_current: bool

    @property
    def workflow_id(self) -> str:
        """The same for every run of a session."""
        return workflow_id(self.session_id)


@dataclass(frozen=True, slots=True)
class JobRun:
    """The run that a job is to do.

    Attributes:
        waits: the transcript is still open; the job that closes it defers this one again.
        late: it was requested more than a day ago.
    """

    run_id: UUID
    waits: bool
    late: bool


def workflow_id(session_id: UUID) -> str:
    """`summary-sess_…`."""
    return f"summary-{format_id('sess', session_id)}"


class Summaries:
    """The runs of summaries; the caller has checked that the session may be read or written."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, session_id: UUID) -> SummaryRun | None:
        """The last run; None when there never was one."""
        async with self._db.begin() as conn:
            return await _read(conn, session_id)

    async def request(self, session_id: UUID, *, again: bool) -> SummaryRun | None:
        """Start a run, unless one is going on.

        Args:
            again: start one even when a current summary is stored, or the last run failed on the same transcript.

        Returns:
            The run that is going on, or the last one when none was started; None when the session is gone.
        """
        async with self._db.begin() as conn:
            return await request_summary(conn, session_id, again=again)

    async def begin(self, session_id: UUID) -> JobRun | None:
        """The run that the job has to do; None when no summary is being made."""
        async with self._db.begin() as conn:
            row = (await conn.execute(_RUN_OF_JOB, {"id": session_id})).one_or_none()
        return None if row is None else JobRun(row.run_id, row.waits, row.late)

    async def finish(self, session_id: UUID, run_id: UUID, sha256: str, object_key: str) -> bool:
        """Note that the run's summary is stored; False when the session is gone or has another run."""
        stored = {"state": "available", "stored_sha256": sha256, "object_key": object_key}
        return await self._end(session_id, run_id, sha256, stored)

    async def fail(self, session_id: UUID, run_id: UUID, sha256: str, code: str, message: str) -> bool:
        """Note that the run made no summary; returns as `finish` does."""
        return await self._end(
            session_id, run_id, sha256, {"state": "failed", "code": code, "message": redact(message)}
        )

    async def _end(self, session_id: UUID, run_id: UUID, sha256: str, values: dict[str, Any]) -> bool:
        statement = (
            update(summaries)
            .where(summaries.c.session_id == session_id, summaries.c.run_id == run_id)
            .where(summaries.c.state == "generating")
            .values(transcript_sha256=sha256, finished_at=func.statement_timestamp(), **values)
        )
        async with self._db.begin() as conn:
            locked = await lock_session(conn, session_id)
            if locked is None or (await conn.execute(statement)).rowcount != 1:
                return False
            await events.append(
                conn, session_id, f"summary.{values['state']}", epoch=locked.epoch, code=values.get("code")
            )
            await mark_leftovers(conn, session_id)  # of the run before
            return True


async def has_summary(conn: AsyncConnection, session_id: UUID) -> bool:
    """Whether a summary was ever asked for."""
    query = select(summaries.c.session_id).where(summaries.c.session_id == session_id)
    return (await conn.execute(query)).one_or_none() is not None


async def request_summary(conn: AsyncConnection, session_id: UUID, *, again: bool) -> SummaryRun | None:
    """As `Summaries.request`, in the caller's transaction."""
    locked = select(sessions.c.id).where(sessions.c.id == session_id).with_for_update(read=True, key_share=True)
    if (await conn.execute(locked)).one_or_none() is None:
        return None
    new = {
        "run_id": new_uuid(),
        "state": "generating",
        "requested_at": func.statement_timestamp(),
        "attempted_at": None,
        "finished_at": None,
        "transcript_sha256": None,
        "code": None,
        "message": None,
    }
    started = insert(summaries).values(session_id=session_id, **new).on_conflict_do_nothing()
    if (await conn.execute(started.returning(summaries.c.run_id))).one_or_none() is not None:
        await defer_summarize(conn, session_id)
        return await _read(conn, session_id)
    held = select(summaries.c.session_id).where(summaries.c.session_id == session_id).with_for_update()
    await conn.execute(held)
    run = await _read(conn, session_id)
    assert run is not None
    settled = run.is_current or (run.state == "failed" and run.read_current)
    if run.state == "generating":
        await defer_summarize(conn, session_id)  # it may have waited for the transcript
        return run
    if settled and not again:
        return run
    await conn.execute(update(summaries).where(summaries.c.session_id == session_id).values(new))
    await defer_summarize(conn, session_id)
    return await _read(conn, session_id)


async def _read(conn: AsyncConnection, session_id: UUID) -> SummaryRun | None:
    row = (await conn.execute(select(summaries).where(summaries.c.session_id == session_id))).one_or_none()
    if row is None:
        return None
    sha256 = await transcript_digest(conn, session_id)
    return SummaryRun(
        session_id=session_id,
        run_id=row.run_id,
        state=row.state,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        code=row.code,
        message=row.message,
        object_key=row.object_key,
        is_current=row.stored_sha256 == sha256,
        read_current=row.transcript_sha256 == sha256,
    )
