"""How webhooks are doing, over all organizations, as /metrics shows it."""

import asyncio

from aiohttp import web

from control_api.http.serving.request_metrics import RequestMetrics
from sessions.errors import DatabaseError
from store.database.database import Database
from store.webhooks.delivery_state import delivery_state

_WATCH_SECONDS = 10.0


class DeliveryWatch:
    """Asks the database now and then; while it is away the metrics stay as they were."""

    def __init__(self, db: Database, metrics: RequestMetrics) -> None:
        self._db = db
        self._metrics = metrics

    async def look(self) -> None:
        """Bring the metrics up to date."""
        try:
            state = await delivery_state(self._db)
        except DatabaseError:
            return
        for reason, count in (("gone", state.gone), ("failing", state.failing)):
            self._metrics.webhook_endpoints_disabled.labels(reason).set(count)
        self._metrics.webhook_overdue.set(state.overdue_seconds)
        self._metrics.webhook_oldest.set(state.oldest_seconds)

    async def watch(self) -> None:
        """Keep them up to date, until canceled."""
        while True:
            await self.look()
            await asyncio.sleep(_WATCH_SECONDS)


DELIVERY_WATCH = web.AppKey("delivery watch", DeliveryWatch)
