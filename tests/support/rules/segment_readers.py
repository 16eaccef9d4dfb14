"""Who still reads the segments of a session, as those who may remove them are told."""

from uuid import UUID

from tests.support.running.engine import Engine

_READERS = """
    SELECT 'transcript' AS reader FROM transcripts WHERE session_id = :id AND state = 'pending'
    UNION SELECT 'files' FROM recording_files WHERE session_id = :id AND format = 'wav' AND state = 'pending'
"""


async def segment_readers(engine: Engine, session_id: UUID) -> set[str]:
    """Those for whom the segments of a session, whose recording is committed, are kept."""
    committed = await engine.sql("SELECT committed_at FROM recordings WHERE session_id = :id", id=session_id)
    assert committed[0].committed_at is not None, "its recording is committed"
    return {row.reader for row in await engine.sql(_READERS, id=session_id)}
