"""Servers at a room's URL that mean harm: they lead elsewhere, or flood whoever joins."""

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from tests.support.network.known_ports import bound_on_one_port
from tests.support.network.loopback import gone

_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PONG = b"\x82\x03\x90\x01\x01"
"""A websocket frame with the smallest answer of a LiveKit server, a pong (field 18 of its SignalResponse)."""


class HostileRoom:
    """Counts who connected, and the bytes that it got rid of."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connections = 0
        self.sent_bytes = 0


@asynccontextmanager
async def _serving(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], listening: socket.socket
) -> AsyncIterator[int]:
    """Take connections at this socket, whose port is yielded; none is left when the block ends."""
    accepted: list[asyncio.BaseTransport] = []

    async def remembered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer.transport)
        await serve(reader, writer)

    server = await asyncio.start_server(remembered, sock=listening)
    try:
        yield listening.getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)  # what was accepted in the loop's last turn becomes a transport in this one
        await gone(accepted)


@asynccontextmanager
async def listener(host: str) -> AsyncIterator[HostileRoom]:
    """Somebody who should never be connected to: counts, and says something that looks like a secret."""
    async with listeners(host) as [room]:
        yield room


@asynccontextmanager
async def listeners(*hosts: str) -> AsyncIterator[list[HostileRoom]]:
    """One at each of these addresses, all on the same port."""
    async with AsyncExitStack() as opened:
        sockets = bound_on_one_port(*hosts)
        yield [await opened.enter_async_context(_listener(host, one)) for host, one in zip(hosts, sockets, strict=True)]


@asynccontextmanager
async def _listener(host: str, listening: socket.socket) -> AsyncIterator[HostileRoom]:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        room.connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
        with suppress(OSError):
            await writer.drain()
        writer.close()

    async with _serving(serve, listening) as port:
        room = HostileRoom(f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}")
        yield room


@asynccontextmanager
async def leading_to(host: str, status: int, location: Callable[[], str]) -> AsyncIterator[HostileRoom]:
    """Answers everything by a redirect."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        room.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            where = f"Location: {location()}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {status} Elsewhere\r\n{where}".encode())
            await writer.drain()
        writer.close()

    async with _serving(serve, *bound_on_one_port(host)) as port:
        room = HostileRoom(f"ws://{host}:{port}")
        yield room


@asynccontextmanager
async def flooding(host: str, frame: bytes = PONG) -> AsyncIterator[HostileRoom]:
    """Upgrades, and then sends `frame` as fast as it can, without ever answering the join."""
    block = frame * (65536 // len(frame))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        room.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError, StopIteration):
            head = await reader.readuntil(b"\r\n\r\n")
            fields = [line.partition(b":") for line in head.split(b"\r\n")]
            key = next(value.strip() for name, _, value in fields if name.lower() == b"sec-websocket-key")
            accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET, usedforsecurity=False).digest()).decode()
            writer.write(
                "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
            )
            while True:
                writer.write(block)
                await writer.drain()
                room.sent_bytes += len(block)
        writer.close()

    async with _serving(serve, *bound_on_one_port(host)) as port:
        room = HostileRoom(f"ws://{host}:{port}")
        yield room


@asynccontextmanager
async def silent(host: str) -> AsyncIterator[HostileRoom]:
    """Takes connections, and never says a word."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        room.connections += 1
        with suppress(OSError):
            while await reader.read(4096):
                pass
        writer.close()

    async with _serving(serve, *bound_on_one_port(host)) as port:
        room = HostileRoom(f"ws://{host}:{port}")
        yield room


class RelayedRoom(HostileRoom):
    """Passes connections on to a real server; those of a join with the token `unanswered` are never answered.

    `chatter` are frames that it says before the server says its first one.
    """

    unanswered = ""
    chatter = b""
    open = 0


@asynccontextmanager
async def relayed(host: str, real_port: int) -> AsyncIterator[RelayedRoom]:
    """In front of what listens on that port of 127.0.0.1; whoever comes has to go before the block ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        room.connections += 1
        room.open += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if room.unanswered and room.unanswered.encode() in head:
                while await reader.read(4096):
                    pass
            else:
                from_real, to_real = await asyncio.open_connection("127.0.0.1", real_port)
                to_real.write(head)
                writer.write(await from_real.readuntil(b"\r\n\r\n") + room.chatter)
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pass_on(reader, to_real))
                    both.create_task(_pass_on(from_real, writer))
        writer.close()
        room.open -= 1

    async with _serving(serve, *bound_on_one_port(host)) as port:
        room = RelayedRoom(f"ws://{host}:{port}")
        yield room
        async with asyncio.timeout(10):
            while room.open:  # noqa: ASYNC110 it has no event
                await asyncio.sleep(0.02)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
