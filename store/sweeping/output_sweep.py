"""The sweeper's look at transcripts and summaries: jobs that were lost are deferred again, deadlines kept."""

from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.settings import Settings
from store.jobs.jobs import defer_finalize, defer_summarize, defer_transcribe

_BATCH = 200


def _lost(table: str, state: str, since: str) -> TextClause:
    """Find jobs that nobody has tried for a while. Their stamp moves at once, so that not every round defers them."""
    return text(
        f"""
        UPDATE {table} SET attempted_at = statement_timestamp() WHERE session_id IN (
            SELECT session_id FROM {table} WHERE state = '{state}'
            AND coalesce(attempted_at, {since}) < statement_timestamp() - make_interval(secs => :retry_seconds)
            ORDER BY session_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
        ) RETURNING session_id
        """
    )


_LOST_TRANSCRIPTS = _lost("transcripts", "pending", "created_at")
_LOST_SUMMARIES = _lost("summaries", "generating", "requested_at")
# No speech process has come in twice the deadline: without one the transcript is closed, so that the segments can go.
_ABANDONED_TRANSCRIPTS = text(
    f"""
    UPDATE transcripts SET state = 'incomplete', code = 'speech.deadline', finished_at = statement_timestamp()
    WHERE session_id IN (
        SELECT session_id FROM transcripts WHERE state = 'pending'
        AND created_at < statement_timestamp() - make_interval(secs => 2 * :deadline_seconds)
        ORDER BY session_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING session_id
    """
)


async def sweep_outputs(conn: AsyncConnection, settings: Settings) -> int:
    """Defer lost jobs again; one that waits or runs already is not doubled.

    Returns:
        How many transcripts and summaries were looked after.
    """
    retry = {"retry_seconds": settings.finalize_retry_seconds}
    abandoned: list[UUID] = list(
        (await conn.execute(_ABANDONED_TRANSCRIPTS, {"deadline_seconds": settings.speech_deadline_seconds})).scalars()
    )
    for session_id in abandoned:
        await defer_finalize(conn, session_id)
    transcripts = list((await conn.execute(_LOST_TRANSCRIPTS, retry)).scalars())
    for session_id in transcripts:
        await defer_transcribe(conn, session_id)
    summaries = list((await conn.execute(_LOST_SUMMARIES, retry)).scalars())
    for session_id in summaries:
        await defer_summarize(conn, session_id)
    return len(abandoned) + len(transcripts) + len(summaries)
