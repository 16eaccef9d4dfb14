"""The loop around everything that is tried again and again, whatever went wrong the time before."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sessions.errors import ParleyError

_log = structlog.get_logger(__name__)

_LOG_EVERY_SECONDS = 10.0


async def repeat(
    name: str, action: Callable[[], Awaitable[object]], *, interval_seconds: float, wake: asyncio.Event | None = None
) -> None:
    """Run `action` every `interval_seconds`, and as soon as `wake` is set; for ever, errors are logged."""
    loop = asyncio.get_running_loop()
    logged_at = -_LOG_EVERY_SECONDS
    while True:
        if wake is not None:
            wake.clear()
        try:
            await action()
        except Exception as error:
            if loop.time() - logged_at >= _LOG_EVERY_SECONDS:
                logged_at = loop.time()
                _log.warning("maintenance.failed", task=name, exc_info=not isinstance(error, ParleyError), error=error)
        await _sleep(interval_seconds, wake)


async def _sleep(seconds: float, wake: asyncio.Event | None) -> None:
    if wake is None:
        await asyncio.sleep(seconds)
        return
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        pass
