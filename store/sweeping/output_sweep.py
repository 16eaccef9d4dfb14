"""The sweeper's look at transcripts and summaries: jobs that were lost are deferred again, deadlines kept."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.settings import Settings
from store.jobs.jobs import defer_finalize, defer_summarize, defer_transcribe

_BATCH = 200
# Both stamps are moved as the job is deferred again, so that it is not tried in every round.
_LOST_TRANSCRIPTS = text(
    f"""
    UPDATE transcripts SET attempted_at = statement_timestamp() WHERE session_id IN (
        SELECT session_id FROM transcripts WHERE state = 'pending'
        AND coalesce(attempted_at, created_at) < statement_timestamp() - make_interval(secs => :retry_seconds)
        ORDER BY session_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING session_id
    """
)
_LOST_SUMMARIES = text(
    f"""
    UPDATE summaries SET attempted_at = statement_timestamp() WHERE session_id IN (
        SELECT session_id FROM summaries WHERE state = 'generating'
        AND coalesce(attempted_at, requested_at) < statement_timestamp() - make_interval(secs => :retry_seconds)
        ORDER BY session_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING session_id
    """
)
# No speech process came in twice the time: the segments go all the same.
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
    """Defer what was lost again; a job that waits or runs already is not doubled.

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
