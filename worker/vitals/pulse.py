"""The sign of life that a recorder process gives its supervisor: an instant, in memory that both share.

Beside it the process says there that it retires, as soon as it takes no more sessions.

It is written by the process's event loop, so it stands still when the process is stopped, and also when its loop hangs.
"""

import asyncio
import mmap
import os
import signal
import struct
from types import TracebackType
from typing import Self

from store.database.boot_clock import SECOND_NS, boottime_ns

_EVERY_SECONDS = 0.1
_SHARE = 0.9  # of the time without a beat after which another takes over; the rest is for looks and slow databases
_INSTANT = struct.Struct("q")
_RETIRES = struct.Struct("?")
_BYTES = _INSTANT.size + _RETIRES.size


def longest_silence_seconds(heartbeat_seconds: float, stalled_seconds: float) -> float:
    """How long a process may be silent, so that it is dead before another one takes its sessions.

    Its last beat may have been sent `heartbeat_seconds` before it stopped, and others take them `stalled_seconds` after
    that.
    """
    return _SHARE * stalled_seconds - heartbeat_seconds


class Pulse:
    """One process's pulse; leaving the block closes this process's view of it.

    Args:
        fd: of the shared memory, closed with the block.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._memory = mmap.mmap(fd, _BYTES)

    @classmethod
    def create(cls) -> Self:
        """A new one, which has not begun."""
        fd = os.memfd_create("pulse")
        os.ftruncate(fd, _BYTES)
        return cls(fd)

    @property
    def last_ns(self) -> int | None:
        """When it was felt last (boot-time clock); None before it begins, and once the process is about to end."""
        (instant,) = _INSTANT.unpack_from(self._memory)
        return instant or None

    def give(self) -> None:
        """Now."""
        _INSTANT.pack_into(self._memory, 0, boottime_ns())

    @property
    def retires(self) -> bool:
        """Whether the process takes no more sessions, and ends with those that it has."""
        (retires,) = _RETIRES.unpack_from(self._memory, _INSTANT.size)
        return bool(retires)

    def retire(self) -> None:
        """Say so, for good."""
        _RETIRES.pack_into(self._memory, _INSTANT.size, True)

    async def keep(self, silence_seconds: float) -> None:
        """Give it until canceled; after that nobody expects one any more.

        A process that was silent for longer than `silence_seconds` was stopped together with its supervisor, which else
        would have killed it: it ends at once, as by that, before LiveKit's threads have reconnected.
        """
        try:
            while True:
                if self.last_ns is not None and boottime_ns() - self.last_ns > silence_seconds * SECOND_NS:
                    os.kill(os.getpid(), signal.SIGKILL)
                self.give()
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            _INSTANT.pack_into(self._memory, 0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._memory.close()
        os.close(self.fd)
