"""Joins that take over from workers which still record: one after the other.

The worker before is evicted as soon as the server takes the join, and nobody records until the first frame has come.
Eight joins at a time share two cores and keep each room unrecorded for 0.5 to 1.6 s, one at a time for 0.1 s
(measured).
"""

import asyncio

_LONGEST_SECONDS = 1.0  # a room that does not answer must not keep the others from theirs


class Turn:
    """One join's turn, which is over after a second, whatever becomes of it."""

    def __init__(self, free: asyncio.Semaphore, longest_seconds: float) -> None:
        self._free = free
        self._over = False
        self._timer = asyncio.get_running_loop().call_later(longest_seconds, self.pass_on)

    def pass_on(self) -> None:
        """Let the next join have its turn. May be called again."""
        if not self._over:
            self._over = True
            self._timer.cancel()
            self._free.release()


class JoinTurns:
    """Gives turns in the order in which they are asked for."""

    def __init__(self, *, longest_seconds: float = _LONGEST_SECONDS) -> None:
        self._free = asyncio.Semaphore()
        self._longest_seconds = longest_seconds

    async def take(self) -> Turn:
        """Wait for a turn, which the caller passes on. Canceling this is harmless."""
        await self._free.acquire()
        return Turn(self._free, self._longest_seconds)
