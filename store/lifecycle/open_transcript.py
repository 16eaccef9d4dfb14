"""Opening the transcript of a session that ran and is over. A job closes it later; the session doesn't wait."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.jobs.jobs import defer_transcribe

_OPEN = text(
    """
    INSERT INTO transcripts (session_id, state, created_at)
    SELECT id, 'pending', statement_timestamp() FROM sessions WHERE id = :id AND started_at IS NOT NULL
    ON CONFLICT (session_id) DO NOTHING
    """
)


async def open_transcript(conn: AsyncConnection, session_id: UUID) -> None:
    """Note the transcript of a session that becomes terminal in this transaction, and defer its job."""
    if (await conn.execute(_OPEN, {"id": session_id})).rowcount:
        await defer_transcribe(conn, session_id)
