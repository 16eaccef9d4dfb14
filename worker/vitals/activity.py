"""What a process that runs on demand has under way, and its end when there has been nothing for long."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from uuid import UUID

import structlog

from sessions.errors import DatabaseError
from store.waiting.set_within import set_within

_log = structlog.get_logger(__name__)

_LOOKS = 10  # per time of idleness
_LONGEST_LOOK_SECONDS = 5.0


class Activity:
    """Counts what is under way."""

    def __init__(self) -> None:
        self._under_way = 0
        self._over_at = monotonic()

    @property
    def idle_seconds(self) -> float:
        """For how long nothing has been under way."""
        return 0.0 if self._under_way else monotonic() - self._over_at

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Something is under way in this block."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._over_at = monotonic()

    def of(self, task: Callable[[UUID], Awaitable[None]]) -> Callable[[UUID], Coroutine[Any, Any, None]]:
        """The same task, which counts while it runs."""

        async def run(session_id: UUID) -> None:
            with self.busy():
                await task(session_id)

        return run

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
                    self._over_at = monotonic()
            except DatabaseError:
                self._over_at = monotonic()
            if self.idle_seconds >= after_seconds:
                _log.info("child.idle", seconds=round(self.idle_seconds, 1))
                stopping.set()
