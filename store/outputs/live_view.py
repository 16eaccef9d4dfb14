"""What who watches a session that goes on sees of it besides its events: its newest words, and how loud it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from sessions.texts.transcript import TranscriptSegment
from store.database.database import Database
from store.outputs.transcript_pages import segments_after

# One look into an index for each of three tables and session.
_MOMENTS = text(
    """
    SELECT s.id AS session_id, coalesce(l.last_seq, 0) AS last_seq, r.billable_ms, r.frames, r.as_of,
        CASE WHEN s.recording_state = 'recording' THEN r.peak_dbfs END AS peak_dbfs
    FROM sessions s
    CROSS JOIN LATERAL (SELECT max(seq) AS last_seq FROM log_entries WHERE session_id = s.id) l
    CROSS JOIN LATERAL (
        SELECT CAST(coalesce(sum(billable_ms), 0) AS bigint) AS billable_ms,
            CAST(coalesce(sum(frames), 0) AS bigint) AS frames,
            max(beat_at) FILTER (WHERE joined_at IS NOT NULL) AS as_of,
            max(peak_dbfs) FILTER (WHERE epoch = s.epoch) AS peak_dbfs
        FROM runs WHERE session_id = s.id
    ) r
    WHERE s.id = ANY(:ids)
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_SESSIONS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Moment:
    """A session as its worker's last beat left it.

    Attributes:
        last_seq: of its log; 0: that is empty.
        billable_ms, frames: as in its usage.
        as_of: of that beat; None before the first.
        peak_dbfs: the level then; None: silence, or it is not recorded.
    """

    session_id: UUID
    last_seq: int
    billable_ms: int
    frames: int
    as_of: datetime | None
    peak_dbfs: float | None


class LiveView:
    """Reads it; the caller has checked that the sessions may be read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def moments(self, session_ids: Sequence[UUID]) -> list[Moment]:
        """Of those of the sessions that exist.

        Raises:
            DatabaseError: they could not be read.
        """
        found: list[Moment] = []
        for first in range(0, len(session_ids), _SESSIONS_AT_ONCE):
            async with self._db.begin() as conn:
                rows = await conn.execute(_MOMENTS, {"ids": session_ids[first : first + _SESSIONS_AT_ONCE]})
                found += [Moment(**row) for row in rows.mappings()]
        return found

    async def said_after(self, session_id: UUID, seq: int) -> tuple[list[TranscriptSegment], int]:
        """What the transcript shows of the log's entries behind `seq`, in their order, and the last seq looked at.

        It is a page: where the last seq is greater than `seq`, there may be more.

        Raises:
            DatabaseError: they could not be read.
        """
        return await segments_after(self._db, session_id, seq)
