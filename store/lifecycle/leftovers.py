"""Sessions of whose objects some may not be needed any more: rows that are there until a worker has looked.

Whoever settles an output writes the row in the same transaction, and looks afterwards. When that fails, or its process
dies, the row is still there, and the sweeper asks a finalize job to look.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.tables import leftovers
from store.jobs.deferring import defer_finalize

FIRST_LOOK_SECONDS = 60
AGAIN_SECONDS = 600
_BATCH = 200

# By the clock, not the statement, so that no two marks of a session are the same.
_MARK = text(
    f"""
    INSERT INTO leftovers (session_id, due_at)
    VALUES (:id, clock_timestamp() + make_interval(secs => {FIRST_LOOK_SECONDS}))
    ON CONFLICT (session_id) DO UPDATE SET due_at = excluded.due_at
    """
)
_DUE = text(
    f"""
    UPDATE leftovers SET due_at = clock_timestamp() + make_interval(secs => {AGAIN_SECONDS}) WHERE session_id IN (
        SELECT session_id FROM leftovers WHERE due_at <= statement_timestamp()
        ORDER BY due_at LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING session_id
    """
)
_MARKED = text("SELECT due_at FROM leftovers WHERE session_id = :id")


async def mark_leftovers(conn: AsyncConnection, session_id: UUID) -> None:
    """Note that something may be left of the session, whether or not that still exists; last in a transaction."""
    await conn.execute(_MARK, {"id": session_id})


async def marked_leftovers(conn: AsyncConnection, session_id: UUID) -> datetime | None:
    """The last mark; None: there is none."""
    found: datetime | None = (await conn.execute(_MARKED, {"id": session_id})).scalar_one_or_none()
    return found


async def unmark_leftovers(conn: AsyncConnection, session_id: UUID, mark: datetime | None = None) -> None:
    """Note that nothing is left of the session, unless it was marked again since `mark`; None: whatever the mark is."""
    statement = delete(leftovers).where(leftovers.c.session_id == session_id)
    await conn.execute(statement if mark is None else statement.where(leftovers.c.due_at == mark))


async def defer_due_leftovers(conn: AsyncConnection) -> int:
    """Defer the jobs that look for what is left; how many sessions there are."""
    due: list[UUID] = list((await conn.execute(_DUE)).scalars())
    for session_id in due:
        await defer_finalize(conn, session_id)
    return len(due)
