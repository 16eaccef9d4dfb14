"""Erased sessions whose objects may still be in the storage: rows that are there until nothing is left.

The row is written by the transaction that erases the session, so an erasure that a storage refuses, or that a process
does not survive, is known, counted and tried again.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.ids import format_id
from store.database.database import Database
from store.jobs.deferring import defer_erase
from store.objects.errors import StorageError

FIRST_RETRY_SECONDS = 60
LONGEST_RETRY_SECONDS = 600
_BATCH = 200

_BEGIN = text(
    f"""
    INSERT INTO erasures (session_id, erased_at, next_at)
    VALUES (:id, statement_timestamp(), statement_timestamp() + make_interval(secs => {FIRST_RETRY_SECONDS}))
    ON CONFLICT (session_id) DO NOTHING
    """
)
_RETRY_SECONDS = f"least({FIRST_RETRY_SECONDS} * 2 ^ least(erasures.failures, 10), {LONGEST_RETRY_SECONDS})"
_FAIL = text(
    f"""
    INSERT INTO erasures (session_id, erased_at, next_at, failures, cause)
    VALUES (:id, statement_timestamp(), statement_timestamp() + make_interval(secs => {FIRST_RETRY_SECONDS}), 1, :cause)
    ON CONFLICT (session_id) DO UPDATE SET failures = erasures.failures + 1, cause = excluded.cause,
        next_at = statement_timestamp() + make_interval(secs => {_RETRY_SECONDS})
    RETURNING failures
    """
)
_FINISH = text("DELETE FROM erasures WHERE session_id = :id RETURNING failures")
_DUE = text(
    f"""
    UPDATE erasures SET next_at = statement_timestamp() + make_interval(secs => {FIRST_RETRY_SECONDS})
    WHERE session_id IN (
        SELECT session_id FROM erasures WHERE next_at <= statement_timestamp()
        ORDER BY next_at LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING session_id
    """
)
_FAILED = text(
    """
    SELECT count(*) AS sessions, coalesce(extract(epoch FROM statement_timestamp() - min(erased_at)), 0) AS seconds
    FROM erasures WHERE failures > 0
    """
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FailedErasures:
    """Erased sessions whose objects the storage has not let go of.

    Attributes:
        sessions: how many.
        oldest_seconds: how long ago the first of them was erased; 0 without any.
    """

    sessions: int
    oldest_seconds: float


async def begin_erasure(conn: AsyncConnection, session_id: UUID) -> None:
    """Note that the session's objects are to go; part of the transaction that erases its rows."""
    await conn.execute(_BEGIN, {"id": session_id})


async def finish_erasure(db: Database, session_id: UUID) -> None:
    """Note that nothing is left of the session.

    Raises:
        DatabaseUnavailableError: it is looked for once more.
    """
    async with db.begin() as conn:
        failures = (await conn.execute(_FINISH, {"id": session_id})).scalar_one_or_none()
    if failures:
        _log.info("erasure.done", session_id=format_id("sess", session_id), failures=failures)


async def fail_erasure(db: Database, session_id: UUID, error: StorageError) -> None:
    """Note that objects of an erased session are still in the storage. They are tried again until they are gone.

    Raises:
        DatabaseUnavailableError: it is not counted, and tried again all the same.
    """
    async with db.begin() as conn:
        failures = (await conn.execute(_FAIL, {"id": session_id, "cause": error.trouble})).scalar_one()
    _log.error("erasure.failed", session_id=format_id("sess", session_id), failures=failures, cause=error.trouble)


async def defer_unfinished_erasures(conn: AsyncConnection) -> int:
    """Defer the jobs of erasures that are due.

    Returns:
        How many there are.
    """
    due: list[UUID] = list((await conn.execute(_DUE)).scalars())
    for session_id in due:
        await defer_erase(conn, session_id)
    return len(due)


async def failed_erasures(db: Database) -> FailedErasures:
    """What the storage still holds of erased sessions.

    Raises:
        DatabaseUnavailableError: the database is away.
    """
    async with db.begin() as conn:
        row = (await conn.execute(_FAILED)).one()
    return FailedErasures(row.sessions, float(row.seconds))
