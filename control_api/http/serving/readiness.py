"""Whether this process can serve: it isn't stopping, and database and storage answer."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from sessions.errors import ParleyError

FRESH_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """What the last probe found."""

    stopping: bool
    database: bool
    storage: bool

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here."""
        return self.database and self.storage and not self.stopping


class ReadinessProbe:
    """Pings each dependency, at most once a second however often it is asked (it needs no key).

    Args:
        ping_database, ping_storage: return, or raise ParleyError.
        timeout_seconds: of each ping.
    """

    def __init__(
        self,
        ping_database: Callable[[], Awaitable[object]],
        ping_storage: Callable[[], Awaitable[object]],
        timeout_seconds: float,
    ) -> None:
        self._pings = (ping_database, ping_storage)
        self._timeout_seconds = timeout_seconds
        self._lock = asyncio.Lock()
        self._found = (False, False)
        self._found_at = -math.inf
        self.stopping = False

    async def check(self) -> Condition:
        """The condition now, or at most a second ago."""
        async with self._lock:
            if time.monotonic() - self._found_at > FRESH_SECONDS:
                async with asyncio.TaskGroup() as group:
                    pings = [group.create_task(self._answers(ping), name="readiness ping") for ping in self._pings]
                self._found = (pings[0].result(), pings[1].result())
                self._found_at = time.monotonic()
        return Condition(self.stopping, *self._found)

    async def _answers(self, ping: Callable[[], Awaitable[object]]) -> bool:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await ping()
        except (ParleyError, TimeoutError) as error:
            code = error.code if isinstance(error, ParleyError) else "timeout"
            _log.warning("dependency.unavailable", code=code)
            return False
        return True


READINESS = web.AppKey("readiness", ReadinessProbe)
