"""Which transcript it is: what was made of another one is out of date."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.outputs.transcript_pages import OURS_ALONE

# The log only grows, so the digest changes with every entry of the transcript, and with every version.
_DIGEST = text(
    f"""
    SELECT encode(sha256(convert_to(coalesce(string_agg(
        json_build_array(seq, identity, speaker, role, source, start_ms, end_ms, text)::text, E'\\n' ORDER BY seq
    ), '') || coalesce((
        SELECT version || segments::text FROM transcript_versions
        WHERE session_id = :id AND state = 'available' ORDER BY version DESC LIMIT 1
    ), ''), 'UTF8')), 'hex') FROM log_entries WHERE session_id = :id AND final AND {OURS_ALONE}
    """
)


async def transcript_digest(conn: AsyncConnection, session_id: UUID) -> str:
    """SHA-256 in hex over the session's log, as far as it is final."""
    return str((await conn.execute(_DIGEST, {"id": session_id})).scalar_one())
