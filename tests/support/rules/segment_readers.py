"""Who still reads the segments of a session, as those who may delete them are told."""

from typing import get_args
from uuid import UUID

from store.outputs.freeze import Freezes, Reader


async def segment_readers(freezes: Freezes, session_id: UUID) -> set[Reader]:
    """Those for whom the segments of a session, whose recording is committed, are kept."""
    everybody = frozenset[Reader](get_args(Reader))
    assert await freezes.are_segments_done(session_id, everybody), "its recording is committed"
    return {reader for reader in everybody if not await freezes.are_segments_done(session_id, everybody - {reader})}
