"""The process of the guard proxy: it serves the listening socket that its supervisor made.

So recorder processes that connect while it is being replaced wait for a moment and are not refused.
"""

import asyncio
import socket
from collections.abc import Callable

import structlog

from sessions.settings import Settings
from worker.guard.proxy import GuardProxy, GuardRules
from worker.guard.request_head import MOST_BYTES

_log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.1
_KIB = 1024


def guard_rules(settings: Settings) -> GuardRules:
    """As configured. A join is over within `join_seconds`: for so long nothing need come from a client."""
    return GuardRules(
        allowed=settings.allowed_addresses,
        burst_bytes=settings.room_burst_kb * _KIB,
        bytes_per_second=settings.room_rate_kb * _KIB,
        flood_seconds=settings.join_seconds,
        silence_seconds=settings.join_seconds,
    )


async def run_guard_process(settings: Settings, listening: socket.socket, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set; then as long as recorders hand over, which is no longer than `grace_seconds`."""
    proxy = GuardProxy(guard_rules(settings))
    server = await asyncio.start_server(proxy.serve, sock=listening, limit=MOST_BYTES)
    _log.info("guard.listening", port=listening.getsockname()[1])
    async with server:
        await stopping.wait()
        await _until(lambda: proxy.open_connections == 0, settings.grace_seconds)


async def _until(over: Callable[[], bool], seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        if over() or asyncio.get_running_loop().time() >= deadline:
            return
        await asyncio.sleep(_LOOK_SECONDS)
