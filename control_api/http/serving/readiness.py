"""Whether this process can serve: it isn't stopping, database and storage answer, and the storage is ours."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from sessions.errors import DatabaseRefusedError, ParleyError

FRESH_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """What the last probe found."""

    stopping: bool
    database_code: str | None
    storage_code: str | None

    @property
    def database(self) -> bool:
        """Whether the database answers."""
        return self.database_code is None

    @property
    def storage(self) -> bool:
        """Whether the object storage answers and is ours."""
        return self.storage_code is None

    @property
    def code(self) -> str | None:
        """Why requests should not be sent here; None: they should."""
        return "stopping" if self.stopping else self.database_code or self.storage_code

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here."""
        return self.code is None


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
        self._pings = ((ping_database, "database.unavailable"), (ping_storage, "storage.unavailable"))
        self._timeout_seconds = timeout_seconds
        self._lock = asyncio.Lock()
        self._found: tuple[str | None, str | None] = ("database.unavailable", "storage.unavailable")
        self._found_at = -math.inf
        self.stopping = False

    async def check(self) -> Condition:
        """The condition now, or at most a second ago."""
        async with self._lock:
            if time.monotonic() - self._found_at > FRESH_SECONDS:
                async with asyncio.TaskGroup() as group:
                    pings = [group.create_task(self._trouble(*ping), name="readiness ping") for ping in self._pings]
                self._found = (pings[0].result(), pings[1].result())
                self._found_at = time.monotonic()
        return Condition(self.stopping, *self._found)

    async def _trouble(self, ping: Callable[[], Awaitable[object]], slow: str) -> str | None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await ping()
        except (ParleyError, TimeoutError) as error:
            code = error.code if isinstance(error, ParleyError) else "timeout"
            _log.warning("dependency.unavailable", code=code)
            if isinstance(error, TimeoutError | DatabaseRefusedError):
                return slow
            return error.code
        return None


READINESS = web.AppKey("readiness", ReadinessProbe)
