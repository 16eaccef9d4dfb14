"""Whether this process can serve: it isn't stopping, database and storage answer, and the storage is ours.

A process that can serve may still have troubles that somebody has to look after: then it is degraded.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from sessions.errors import DatabaseRefusedError, ParleyError
from store.objects.errors import StorageError

FRESH_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """What the last probe found.

    Attributes:
        troubles: sentences for whoever runs the installation: why something is away, and what works less than it could.
    """

    stopping: bool
    database_code: str | None
    storage_code: str | None
    troubles: tuple[str, ...] = ()

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
        troubles: each says in sentences what is wrong though everything answers; may raise ParleyError.
        timeout_seconds: of each ping.
    """

    def __init__(
        self,
        ping_database: Callable[[], Awaitable[object]],
        ping_storage: Callable[[], Awaitable[object]],
        troubles: Sequence[Callable[[], Awaitable[Sequence[str]]]],
        timeout_seconds: float,
    ) -> None:
        self._pings = ((ping_database, "database.unavailable"), (ping_storage, "storage.unavailable"))
        self._troubles = troubles
        self._timeout_seconds = timeout_seconds
        self._lock = asyncio.Lock()
        self._found = Condition(False, "database.unavailable", "storage.unavailable")
        self._found_at = -math.inf
        self._logged: tuple[str | None, ...] = ()
        self.stopping = False

    async def check(self) -> Condition:
        """The condition now, or at most a second ago."""
        async with self._lock:
            if time.monotonic() - self._found_at > FRESH_SECONDS:
                self._found = await self._look()
                self._found_at = time.monotonic()
        return replace(self._found, stopping=self.stopping)

    async def _look(self) -> Condition:
        async with asyncio.TaskGroup() as group:
            pings = [group.create_task(self._ping(*ping), name="readiness ping") for ping in self._pings]
            asking = group.create_task(self._ask(), name="readiness troubles")
        (database, database_trouble), (storage, storage_trouble) = (ping.result() for ping in pings)
        if (database, storage) != self._logged:
            self._logged = (database, storage)
            for code in filter(None, self._logged):
                _log.warning("dependency.unavailable", code=code)
        known = tuple(trouble for trouble in (database_trouble, storage_trouble) if trouble is not None)
        return Condition(self.stopping, database, storage, (*known, *asking.result()))

    async def _ping(self, ping: Callable[[], Awaitable[object]], slow: str) -> tuple[str | None, str | None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await ping()
        except StorageError as error:
            return error.code, f"storage: {error.trouble}"
        except DatabaseRefusedError as error:
            return slow, error.message
        except ParleyError as error:
            return error.code, error.message
        except TimeoutError:
            return slow, f"{slow.partition('.')[0]}: no answer within {self._timeout_seconds:g} s"
        return None, None

    async def _ask(self) -> Sequence[str]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return [trouble for ask in self._troubles for trouble in await ask()]
        except (ParleyError, TimeoutError):
            return ()  # the pings say so


READINESS = web.AppKey("readiness", ReadinessProbe)
