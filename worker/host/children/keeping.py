"""One child after the other, as long as they are wanted; after several that died young, the next one starts later."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from store.set_within import set_within

_log = structlog.get_logger(__name__)

_FIRST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 15.0


async def keep(live: Callable[[], Awaitable[None]], stopping: asyncio.Event, *, healthy_seconds: float) -> None:
    """Run `live`, a child's whole life, again and again until `stopping` is set.

    One that lived for `healthy_seconds` is replaced at once, and the deaths before it are forgotten.
    """
    loop = asyncio.get_running_loop()
    short_lives = 0
    while not stopping.is_set():
        born = loop.time()
        try:
            await live()
        except OSError as error:
            _log.error("child.not_started", error=error)
        short_lives = 0 if loop.time() - born >= healthy_seconds else short_lives + 1
        await set_within(stopping, backoff_seconds(short_lives))


def backoff_seconds(short_lives: int) -> float:
    """How long to wait before a child is replaced, after so many in a row that died young; 0 for the first one."""
    if short_lives <= 1:
        return 0.0
    return min(_FIRST_BACKOFF_SECONDS * 2.0 ** min(short_lives - 2, 10), _LONGEST_BACKOFF_SECONDS)
