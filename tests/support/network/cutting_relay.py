"""A way to a server on which connections break: after so many bytes of an answer, or when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_CHUNK_BYTES = 16_384
_LAST_SECONDS = 0.05  # what passed is read before the break is noticed, as on a real way


class CuttingRelay:
    """Passes TCP on to `target` (a base URL), which may be set late.

    Attributes:
        url: what clients are given in the place of the target's.
        cut_bytes: every connection breaks after so many bytes towards the client; None: none does by itself.
        connections: how many there were.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.target = ""
        self.cut_bytes: int | None = None
        self.connections = 0
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> int:
        """Break every connection in the middle; returns how many there were."""
        number = len(self._open)
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        return number

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self._open.add(writer)
        parts = urlsplit(self.target)
        try:
            with suppress(OSError):
                server_reader, server_writer = await asyncio.open_connection(parts.hostname, parts.port)
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pass_on(reader, server_writer, None), name="up")
                    group.create_task(_pass_on(server_reader, writer, self.cut_bytes), name="down")
        finally:
            self._open.discard(writer)
            writer.transport.abort()


@asynccontextmanager
async def cutting_relay() -> AsyncIterator[CuttingRelay]:
    """A relay on loopback."""
    relay = CuttingRelay("")
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
        await server.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most_bytes: int | None) -> None:
    """Until one side closes, or `most_bytes` have passed: then both do, by a reset."""
    passed = 0
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            if most_bytes is not None:
                data = data[: most_bytes - passed]
            writer.write(data)
            await writer.drain()
            passed += len(data)
            if most_bytes is not None and passed >= most_bytes:
                await asyncio.sleep(_LAST_SECONDS)
                break
    writer.close()
