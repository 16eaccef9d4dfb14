"""What a process that runs on demand has under way, and its end when there has been nothing for long."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from sessions.errors import DatabaseError
from store.set_within import set_within

_log = structlog.get_logger(__name__)

_LOOKS = 10  # per time of idleness
_LONGEST_LOOK_SECONDS = 5.0


class Activity:
    """Counts what is under way. Made and used in an event loop."""

    def __init__(self) -> None:
        self._under_way = 0
        self._over_at = _now()

    @property
    def idle_seconds(self) -> float:
        """For how long nothing has been under way."""
        return 0.0 if self._under_way else _now() - self._over_at

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Something is under way in this block."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._over_at = _now()

    async def end_when_idle(
        self, stopping: asyncio.Event, is_wanted: Callable[[], Awaitable[bool]], *, after_seconds: float
    ) -> None:
        """Set `stopping` once nothing has been under way, and the process not wanted, for so long; or return with it.

        While the database does not answer, nobody knows what is wanted, and the process stays.
        """
        look_seconds = min(after_seconds / _LOOKS, _LONGEST_LOOK_SECONDS)
        while not await set_within(stopping, look_seconds):
            try:
                if await is_wanted():
                    self._over_at = _now()
            except DatabaseError:
                self._over_at = _now()
            if self.idle_seconds >= after_seconds:
                _log.info("child.idle", seconds=round(self.idle_seconds, 1))
                stopping.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
