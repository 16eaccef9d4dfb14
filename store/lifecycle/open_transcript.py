"""Opening the transcript of a session that ran and is over. A job closes it later; the session doesn't wait."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.jobs.deferring import defer_transcribe

_OPEN = text(
    """
    INSERT INTO transcripts (session_id, state, created_at)
    SELECT id, 'pending', statement_timestamp() FROM sessions WHERE id = :id AND started_at IS NOT NULL
    """
)


async def open_transcript(conn: AsyncConnection, session_id: UUID) -> bool:
    """Note the transcript of a session that becomes terminal in this transaction, and defer its job.

    Returns:
        False when there will be none: the session never ran.
    """
    opened = (await conn.execute(_OPEN, {"id": session_id})).rowcount == 1
    if opened:
        await defer_transcribe(conn, session_id)
    return opened
