"""Joins that take over from workers which still record: one after the other.

The worker before is evicted as soon as the server takes the join, and nobody records until the first frame has come.
Eight joins at a time share two cores and keep each room unrecorded for 0.5 to 1.6 s, one at a time for 0.1 s
(measured). On a machine that is too busy a join takes seconds. Begun a second apart, six of them were under way
together at a load of 14, and kept their rooms unrecorded for 2 to 5 s each (measured): so a turn waits for a slow join,
as long as there is time for all.

A room that has just been joined makes work: the join is written, its receiver read several times, and the worker before
seals what it has. The next join comes a little later, as it shares the cores with that, and is recorded meanwhile.
"""

import asyncio
from collections.abc import Callable

_LEAST_SECONDS = 1.0
_MOST_SECONDS = 4.0  # a room that does not answer must not keep the others from theirs
_SETTLED_SECONDS = 0.25
_ALL_SECONDS = 25.0  # less than a worker that stops goes on recording for its successors


class Turn:
    """One join's turn, which is over after `longest_seconds`, whatever becomes of it."""

    def __init__(self, over: Callable[[], object], longest_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.began = self._loop.time()
        self._say_over = over
        self._is_over = False
        self._settles = False
        self._timer = self._loop.call_later(longest_seconds, self.pass_on)

    def limit(self, longest_seconds: float) -> None:
        """Let it be over after so many seconds, counted from its beginning. No-op if it is over, or about to be."""
        if not self._is_over and not self._settles:
            self._timer.cancel()
            self._timer = self._loop.call_at(self.began + longest_seconds, self.pass_on)

    def heard(self) -> None:
        """The room is heard: the next join has its turn in a quarter of a second. May be called again."""
        if not self._is_over and not self._settles:
            self._timer.cancel()
            self._settles = True
            self._timer = self._loop.call_later(_SETTLED_SECONDS, self.pass_on)

    def pass_on(self) -> None:
        """Let the next join have its turn, at once. May be called again."""
        if not self._is_over:
            self._is_over = True
            self._timer.cancel()
            self._say_over()


class JoinTurns:
    """Gives turns in the order in which they are asked for.

    A turn that nobody passes on is over by itself: after `most_seconds`, or sooner, if only so all that wait have
    theirs within `all_seconds`, but not before `least_seconds`.
    """

    def __init__(
        self,
        *,
        least_seconds: float = _LEAST_SECONDS,
        most_seconds: float = _MOST_SECONDS,
        all_seconds: float = _ALL_SECONDS,
    ) -> None:
        self._free = asyncio.Semaphore()
        self._least_seconds = least_seconds
        self._most_seconds = most_seconds
        self._all_seconds = all_seconds
        self._waiting = 0
        self._all_until = 0.0
        self._turn: Turn | None = None

    async def take(self) -> Turn:
        """Wait for a turn, which the caller passes on. Canceling this is harmless."""
        now = asyncio.get_running_loop().time()
        if not self._free.locked():
            self._all_until = now + self._all_seconds
        elif self._turn is not None:
            self._turn.limit(self._longest_seconds(self._turn.began, self._waiting + 1))
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        began = asyncio.get_running_loop().time()
        self._turn = Turn(self._free.release, self._longest_seconds(began, self._waiting))
        return self._turn

    def _longest_seconds(self, began: float, waiting: int) -> float:
        left_seconds = self._all_until - began - waiting * self._least_seconds
        return max(self._least_seconds, min(left_seconds, self._most_seconds))
