"""The sweeper's look at transcripts, summaries and recordings' files: lost jobs are deferred again, deadlines kept."""

from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.settings import Settings
from store.jobs.deferring import defer_finalize, defer_make_files, defer_remake, defer_summarize, defer_transcribe
from store.lifecycle import events
from store.lifecycle.leftovers import mark_leftovers
from store.lifecycle.locked_session import lock_held_session

_BATCH = 200


def _lost(table: str, state: str, since: str) -> TextClause:
    """Find jobs that nobody has tried for a while. Their stamp moves at once, so that not every round defers them."""
    return text(
        f"""
        UPDATE {table} SET attempted_at = statement_timestamp() WHERE state = '{state}' AND session_id IN (
            SELECT session_id FROM {table} WHERE state = '{state}'
            AND coalesce(attempted_at, {since}) < statement_timestamp() - make_interval(secs => :retry_seconds)
            ORDER BY session_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
        ) RETURNING session_id
        """
    )


_LOST_TRANSCRIPTS = _lost("transcripts", "pending", "created_at")
_LOST_REMAKES = _lost("transcript_versions", "generating", "requested_at")
_LOST_SUMMARIES = _lost("summaries", "generating", "requested_at")
# The longer, the more often it was tried.
_LOST_FILES = text(
    f"""
    UPDATE recording_files SET attempted_at = statement_timestamp() WHERE state = 'pending' AND session_id IN (
        SELECT session_id FROM recording_files WHERE state = 'pending'
        AND coalesce(attempted_at, requested_at)
            < statement_timestamp() - make_interval(secs => :retry_seconds * (1 + attempts))
        ORDER BY session_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING session_id
    """
)
# Nobody has made them in a day: they are given up, so that the segments can go.
_ABANDONED_FILES = text(
    f"""
    UPDATE recording_files SET state = 'failed' WHERE state = 'pending' AND session_id IN (
        SELECT session_id FROM recording_files WHERE state = 'pending'
        AND requested_at < statement_timestamp() - make_interval(secs => :deadline_seconds)
        ORDER BY session_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    ) RETURNING session_id
    """
)
# No speech process has come in twice the deadline: without one the transcript is closed, so that the segments can go.
_ABANDONED_TRANSCRIPTS = text(
    f"""
    UPDATE transcripts SET state = 'incomplete', code = 'speech.deadline', finished_at = statement_timestamp()
    WHERE session_id IN (
        SELECT t.session_id FROM transcripts t JOIN sessions s ON s.id = t.session_id WHERE t.state = 'pending'
        AND t.created_at < statement_timestamp() - make_interval(secs => 2 * :deadline_seconds)
        ORDER BY t.session_id LIMIT {_BATCH} FOR NO KEY UPDATE OF s SKIP LOCKED
    ) RETURNING session_id
    """
)


async def sweep_outputs(conn: AsyncConnection, settings: Settings) -> int:
    """Defer lost jobs again; one that waits or runs already is not doubled.

    Returns:
        How many transcripts, summaries and recordings were looked after.
    """
    retry = {"retry_seconds": settings.finalize_retry_seconds}
    abandoned: list[UUID] = list(
        (await conn.execute(_ABANDONED_TRANSCRIPTS, {"deadline_seconds": settings.speech_deadline_seconds})).scalars()
    )
    for session_id in abandoned:
        locked = await lock_held_session(conn, session_id)
        await events.append(conn, session_id, "transcript.incomplete", epoch=locked.epoch, code="speech.deadline")
        await mark_leftovers(conn, session_id)
        await defer_finalize(conn, session_id)
    transcripts = list((await conn.execute(_LOST_TRANSCRIPTS, retry)).scalars())
    for session_id in transcripts:
        await defer_transcribe(conn, session_id)
    remakes = list((await conn.execute(_LOST_REMAKES, retry)).scalars())
    for session_id in remakes:
        await defer_remake(conn, session_id)
    summaries = list((await conn.execute(_LOST_SUMMARIES, retry)).scalars())
    for session_id in summaries:
        await defer_summarize(conn, session_id)
    deadline = {"deadline_seconds": settings.finalize_deadline_seconds}
    given_up = set((await conn.execute(_ABANDONED_FILES, deadline)).scalars())
    for session_id in given_up:
        await mark_leftovers(conn, session_id)
        await defer_finalize(conn, session_id)
    recordings = set((await conn.execute(_LOST_FILES, retry)).scalars())
    for session_id in recordings:
        await defer_make_files(conn, session_id)
    looked_after = (abandoned, transcripts, remakes, summaries, given_up, recordings)
    return sum(len(sessions) for sessions in looked_after)
