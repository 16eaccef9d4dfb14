"""Short jobs: what they are called, and how one is deferred within our transaction.

Procrastinate runs them (`store.jobs.jobs`); here is its SQL alone, so that who defers a job has nothing of what runs
it. Arguments are ids only, as Procrastinate may log them.
"""

from uuid import UUID

import psycopg
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection

SHORT_QUEUE = "short"
SPEECH_QUEUE = "speech"  # these jobs take minutes and hold the GIL: a process of their own runs them
FINALIZE = "recordings.finalize"
ERASE = "sessions.erase"
TRANSCRIBE = "transcripts.transcribe"
REMAKE = "transcripts.remake"
MAKE_FILES = "recordings.make_files"
SUMMARIZE = "summaries.summarize"
PURGE_IDEMPOTENCY = "store.purge_idempotency"
PURGE_JOBS = "store.purge_jobs"
RETENTION = "sessions.expire"

WAITING = """
    SELECT FROM procrastinate_jobs
    WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())
"""
"""Jobs that could be run now, as a query that goes on with another condition."""

BACKGROUND = -10  # a priority: jobs that somebody waits for (0) come first
_BEHIND_TRANSCRIPTS = -5  # which others wait for, and summaries too
_QUEUEING_LOCK = "procrastinate_jobs_queueing_lock_idx_v1"  # one waiting job of each

# When a job is due the database says, which fetches jobs.
_DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[CAST(ROW(
        :queue, :task, :priority, :lock, :queueing_lock, jsonb_build_object('session_id', CAST(:session_id AS text)),
        CASE WHEN :in_seconds > 0 THEN clock_timestamp() + make_interval(secs => :in_seconds) END
    ) AS procrastinate_job_to_defer_v1)])
    """
)


async def defer_finalize(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the finalize job of one session; it exists if and only if the transaction of `conn` commits.

    Does nothing while such a job waits already. While one runs, the new job waits for it to end.

    Returns:
        Whether a job was added.
    """
    return await _defer(conn, session_id, FINALIZE, SHORT_QUEUE, lock="session", queueing_lock="finalize")


async def defer_erase(conn: AsyncConnection, session_id: UUID, *, in_seconds: int = 0) -> bool:
    """Defer the job that removes what is left of an erased session; see `defer_finalize`."""
    return await _defer(
        conn,
        session_id,
        ERASE,
        SHORT_QUEUE,
        lock="session",
        queueing_lock=f"erase-in-{in_seconds}",
        in_seconds=in_seconds,
        priority=BACKGROUND,
    )


async def defer_transcribe(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that closes a session's transcript; see `defer_finalize`."""
    return await _defer(conn, session_id, TRANSCRIBE, SPEECH_QUEUE, lock="transcript", queueing_lock="transcribe")


async def defer_remake(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that makes a session's transcript anew; see `defer_finalize`."""
    return await _defer(conn, session_id, REMAKE, SPEECH_QUEUE, lock="transcript", queueing_lock="remake")


async def defer_make_files(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that makes a recording's other forms; see `defer_finalize`."""
    return await _defer(
        conn, session_id, MAKE_FILES, SPEECH_QUEUE, lock="files", queueing_lock="make-files", priority=BACKGROUND
    )


async def defer_summarize(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that makes a session's summary; see `defer_finalize`."""
    return await _defer(
        conn,
        session_id,
        SUMMARIZE,
        SPEECH_QUEUE,
        lock="summary",
        queueing_lock="summarize",
        priority=_BEHIND_TRANSCRIPTS,
    )


async def _defer(
    conn: AsyncConnection,
    session_id: UUID,
    name: str,
    queue: str,
    *,
    lock: str,
    queueing_lock: str,
    in_seconds: int = 0,
    priority: int = 0,
) -> bool:
    job = {
        "queue": queue,
        "task": name,
        "priority": priority,
        "lock": f"{lock}-{session_id}",
        "queueing_lock": f"{queueing_lock}-{session_id}",
        "session_id": str(session_id),
        "in_seconds": in_seconds,
    }
    try:
        async with conn.begin_nested():  # a unique violation outside of a savepoint would end the caller's transaction
            await conn.execute(_DEFER, job)
    except exc.IntegrityError as error:
        if isinstance(error.orig, psycopg.Error) and error.orig.diag.constraint_name == _QUEUEING_LOCK:
            return False
        raise
    return True
