"""What the storage still holds of sessions that were erased: a trouble on /readyz, a figure on /metrics."""

import asyncio
import time
from collections.abc import Sequence

from aiohttp import web

from control_api.http.serving.request_metrics import RequestMetrics
from sessions.errors import DatabaseError
from store.database.database import Database
from store.sessions.unfinished_erasures import FailedErasures, failed_erasures

_FRESH_SECONDS = 1.0
_WATCH_SECONDS = 10.0


class ErasureWatch:
    """Asks the database, at most once a second however often it is asked itself."""

    def __init__(self, db: Database, metrics: RequestMetrics) -> None:
        self._db = db
        self._metrics = metrics
        self._found = FailedErasures(0, 0.0)
        self._asked_at = -_FRESH_SECONDS

    async def look(self) -> FailedErasures:
        """What is known now; what was known before while the database is away."""
        if time.monotonic() - self._asked_at >= _FRESH_SECONDS:
            self._asked_at = time.monotonic()
            try:
                self._found = await failed_erasures(self._db)
            except DatabaseError:
                return self._found
            self._metrics.failed_erasures.set(self._found.sessions)
            self._metrics.oldest_failed_erasure.set(self._found.oldest_seconds)
        return self._found

    async def watch(self) -> None:
        """Keep the metrics up to date, until canceled."""
        while True:
            await self.look()
            await asyncio.sleep(_WATCH_SECONDS)

    async def troubles(self) -> Sequence[str]:
        """A sentence, when something that was erased is still stored."""
        found = await self.look()
        if not found.sessions:
            return ()
        return (
            f"erasure: the object storage still holds objects of {found.sessions} erased sessions,"
            f" the oldest for {found.oldest_seconds:.0f} s; they are tried again (erasure.failed in the log)",
        )


ERASURE_WATCH = web.AppKey("erasure_watch", ErasureWatch)
