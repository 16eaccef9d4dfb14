"""A name of a database that can be made to lead to another server: a port on loopback that passes connections on."""

import asyncio
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65536


class MovingEndpoint:
    """`async with MovingEndpoint(port) as endpoint:` connections to `endpoint.port` are passed on to that port.

    After a move connections that are there stay where they are, as those of a name in DNS do.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where clients connect, on 127.0.0.1."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def move(self, target: int) -> None:
        """New connections are passed on to this port."""
        self._target = target

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        try:
            there = asyncio.create_task(_copy(reader, server_writer))
            back = asyncio.create_task(_copy(server_reader, writer))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.wait({there, back})
        finally:
            writer.transport.abort()
            server_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either side is gone."""
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
