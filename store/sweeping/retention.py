"""Retention: the content of sessions that have been over for some days is erased, as if each had been deleted.

One round takes the oldest first and stops after a minute; what is left waits for the next one, five minutes later.
An erased session isn't found again, so the next round goes on where one was broken off.
"""

import time
from collections.abc import AsyncIterator
from uuid import UUID

import structlog
from sqlalchemy import text

from sessions.errors import DatabaseError
from sessions.ids import format_id
from store.database.database import Database
from store.database.server.write_proof import prove_writer
from store.installation.storage_identity import StorageIdentity
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.sessions.erasure import SessionErasure

_ROUND_SECONDS = 60.0
_BATCH = 200

# In the order of their ends, from where the batch before stopped: a session that can't be erased holds up no other.
OVER = text(
    f"""
    SELECT id, finished_at FROM sessions
    WHERE finished_at < statement_timestamp() - make_interval(days => :days)
        AND (finished_at, id) > (CAST(:finished_at AS timestamptz), CAST(:id AS uuid))
    ORDER BY finished_at, id LIMIT {_BATCH}
    """
)
_BEFORE_ALL = {"finished_at": "-infinity", "id": UUID(int=0)}

_log = structlog.get_logger(__name__)


class Retention:
    """Erases what has been over for `days`. Several at once do no harm: each session is erased by one of them."""

    def __init__(
        self,
        db: Database,
        objects: Objects,
        erasure: SessionErasure,
        days: int,
        *,
        round_seconds: float = _ROUND_SECONDS,
    ) -> None:
        self._db = db
        self._identity = StorageIdentity(db, objects)
        self._erasure = erasure
        self._days = days
        self._round_seconds = round_seconds

    async def expire(self) -> int:
        """One round.

        Returns:
            How many sessions were erased; 0 while the storage is away: their rows stay as long as their objects.

        Raises:
            DatabaseError: the database is away.
        """
        erased = 0
        try:
            await self._identity.confirm()
            async for session_id in self._over_until(time.monotonic() + self._round_seconds):
                erased += await self._expire(session_id)
        except StorageError as error:
            _log.warning("retention.storage_away", error=error.code)
        if erased:
            _log.info("retention.erased", sessions=erased, days=self._days)
        return erased

    async def _expire(self, session_id: UUID) -> bool:
        try:
            return await self._erasure.expire(session_id, self._days)
        except DatabaseError as error:
            _log.warning("retention.not_erased", session_id=format_id("sess", session_id), error=error.code)
            await prove_writer(self._db)  # the database works, so the trouble is with this session alone
            return False

    async def _over_until(self, until: float) -> AsyncIterator[UUID]:
        """The sessions that are due, until that instant of the monotonic clock; the first one in any case."""
        after = dict(_BEFORE_ALL)
        while True:
            async with self._db.begin() as conn:
                rows = (await conn.execute(OVER, {**after, "days": self._days})).all()
            for row in rows:
                yield row.id
                if time.monotonic() >= until:
                    return
            if len(rows) < _BATCH:
                return
            after = {"finished_at": rows[-1].finished_at, "id": rows[-1].id}
