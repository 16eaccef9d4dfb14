"""Replaces a recorder process that is far too large, and kills one that stands still.

The latter before another one can have taken its sessions. One that woke after that would be a zombie: LiveKit's threads
reconnect before any Python runs, and evict its successor from the room (measured in 7 of 10 cases). SIGKILL reaches a
stopped process, too.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable

import structlog

from store.database.boot_clock import SECOND_NS, boottime_ns
from worker.host.children.child import Child
from worker.vitals.pulse import Pulse
from worker.vitals.wear import MemoryMarks

_log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.1


async def kill_when_silent(child: Child, pulse: Pulse, silence_seconds: float) -> None:
    """Kill `child` as soon as its pulse is so old; returns then."""
    while True:
        last_ns = pulse.last_ns
        if last_ns is not None and (silent_ns := boottime_ns() - last_ns) > silence_seconds * SECOND_NS:
            _log.error("child.silent", child=child.name, pid=child.pid, seconds=round(silent_ns / SECOND_NS, 1))
            child.signal(signal.SIGKILL)
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def replace_when_too_large(
    child: Child,
    resident_bytes: Callable[[int], int],
    marks: MemoryMarks,
    hand_over: Callable[[], object],
    seconds: float,
) -> None:
    """Have `child` hand over as soon as it is larger than its hard mark; returns once it is killed.

    That happens `seconds` later, or when it has grown on, before it takes its host down.
    """
    await _until_larger(child, resident_bytes, marks.hard_bytes)
    hand_over()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _until_larger(child, resident_bytes, marks.kill_bytes)
    child.signal(signal.SIGKILL)


async def kill_when_too_large(child: Child, resident_bytes: Callable[[int], int], hard_bytes: int) -> None:
    """Kill `child` as soon as it is larger than that; returns then."""
    await _until_larger(child, resident_bytes, hard_bytes)
    child.signal(signal.SIGKILL)


async def _until_larger(child: Child, resident_bytes: Callable[[int], int], most_bytes: int) -> None:
    while True:
        if (size := resident_bytes(child.pid)) > most_bytes:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    _log.error("child.too_large", child=child.name, pid=child.pid, resident_bytes=size, most_bytes=most_bytes)


async def wait_until_it_retires(pulse: Pulse) -> None:
    """Return as soon as the process says that it takes no more sessions."""
    while True:
        if pulse.retires:
            return
        await asyncio.sleep(_LOOK_SECONDS)
