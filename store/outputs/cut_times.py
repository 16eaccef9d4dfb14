"""Times of a session's clock as times of its file, where pauses are cut out of that."""

from array import array
from bisect import bisect_left
from datetime import UTC, datetime

from sqlalchemy import text

from sessions.session import Session
from sessions.texts.timestamps import MILLISECOND
from store.database.database import Database

_END_OF_TIME = 1 << 62
_AT_ONCE = 1000
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)

_PAUSES = text(
    """
    SELECT paused_at, resumed_at FROM session_pauses
    WHERE session_id = :id AND paused_at > :after ORDER BY paused_at LIMIT :limit
    """
)


class CutTimes:
    """How much is cut out before each instant; three numbers per pause."""

    def __init__(self) -> None:
        self._starts, self._ends, self._cut_before = array("q"), array("q"), array("q")

    @classmethod
    async def of(cls, db: Database, session: Session) -> "CutTimes":
        """Those of the session."""
        cuts = cls()
        started_at = session.started_at
        if session.recording.on_pause != "cut" or started_at is None:
            return cuts
        after, has_more = _EARLIEST, True
        while has_more:
            async with db.begin() as conn:
                rows = (await conn.execute(_PAUSES, {"id": session.id, "after": after, "limit": _AT_ONCE})).all()
            for row in rows:
                end = _END_OF_TIME if row.resumed_at is None else (row.resumed_at - started_at) // MILLISECOND
                cuts.add((row.paused_at - started_at) // MILLISECOND, end)
            has_more = len(rows) == _AT_ONCE
            after = rows[-1].paused_at if rows else after
        return cuts

    def add(self, start_ms: int, end_ms: int) -> None:
        """A pause behind those that were added before."""
        before = self._cut_before[-1] + self._ends[-1] - self._starts[-1] if self._starts else 0
        self._starts.append(start_ms)
        self._ends.append(end_ms)
        self._cut_before.append(before)

    def in_file(self, at_ms: int) -> int:
        """The time in the file; what lies within a pause lies where that begins."""
        last = bisect_left(self._starts, at_ms) - 1
        if last < 0:
            return at_ms
        return at_ms - self._cut_before[last] - (min(self._ends[last], at_ms) - self._starts[last])
