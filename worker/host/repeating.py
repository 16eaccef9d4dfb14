"""The loop around work that is done again and again, whatever went wrong the time before."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sessions.errors import ParleyError
from store.set_within import set_within

_log = structlog.get_logger(__name__)

_LOG_EVERY_SECONDS = 10.0


async def repeat(
    name: str, action: Callable[[], Awaitable[object]], *, interval_seconds: float, wake: asyncio.Event | None = None
) -> None:
    """Run `action` every `interval_seconds`, and as soon as `wake` is set, for ever; errors are logged."""
    loop = asyncio.get_running_loop()
    wake = asyncio.Event() if wake is None else wake
    logged_at = -_LOG_EVERY_SECONDS
    while True:
        wake.clear()
        try:
            await action()
        except Exception as error:
            if loop.time() - logged_at >= _LOG_EVERY_SECONDS:
                logged_at = loop.time()
                _log.warning("maintenance.failed", task=name, exc_info=not isinstance(error, ParleyError), error=error)
        await set_within(wake, interval_seconds)
