"""Servers and connections of the tests' own on loopback; every socket of theirs is closed when their block ends.

Closing a transport only schedules its end in the loop, and a peer that does not read holds it up for ever: a loop that
is closed meanwhile leaves a socket behind, and Python says so in whichever test runs when it is collected.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

GONE_SECONDS = 5.0


@asynccontextmanager
async def http_server(app: web.Application) -> AsyncIterator[str]:
    """Serve `app` on a free port; yields its base URL. Handlers that are still at it at the end are canceled."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    server = runner.server
    assert server is not None
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        transports = [one.transport for one in server.connections if one.transport is not None]
        await runner.cleanup()
        await gone(transports)


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """A server that takes connections and never says anything; yields its port."""
    accepted: list[asyncio.Transport] = []

    class Silent(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            accepted.append(transport)

    server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)  # what was accepted in the loop's last turn becomes a transport in this one
        await gone(accepted)


@asynccontextmanager
async def connection(base_url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection for what no HTTP client would say."""
    host, _, port = base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        await gone([writer.transport])


async def gone(transports: Iterable[asyncio.BaseTransport]) -> None:
    """Cut these connections and wait until their sockets are closed."""
    waiting = list(transports)
    for one in waiting:
        if isinstance(one, asyncio.WriteTransport):
            one.abort()
    async with asyncio.timeout(GONE_SECONDS):
        while any(one.get_extra_info("socket").fileno() != -1 for one in waiting):  # noqa: ASYNC110 nothing tells
            await asyncio.sleep(0)
