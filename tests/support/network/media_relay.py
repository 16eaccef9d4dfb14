"""A way to a LiveKit server on which media can be dropped while signaling goes on, as by a firewall in between.

Signaling passes through a TCP proxy that puts the relay's port in the place of the server's into the candidates that
the server names; their texts are as long as before. Media passes through a UDP relay. The server must be ICE lite: a
full one would look for the client by itself, past the relay.
"""

import asyncio
from types import TracebackType
from typing import Any, Self

from parley.servers.livekit_server import LiveKitServer

_CHUNK_BYTES = 65536


class LiteServer(LiveKitServer):
    """A server that only answers connectivity checks; `tcp_port`: 0, or where it takes media by TCP, past any relay."""

    tcp_port = 0

    @property
    def port(self) -> int:
        return self._port

    @property
    def media_port(self) -> int:
        return self._media_port

    def _configuration(self) -> dict[str, object]:
        configuration = super()._configuration()
        rtc = configuration["rtc"]
        assert isinstance(rtc, dict)
        return {**configuration, "rtc": {**rtc, "use_ice_lite": True, "tcp_port": self.tcp_port}}


class MediaRelay:
    """For clients that connect to `url`; they get no media while `dropping`.

    Attributes:
        relayed: datagrams that came through.
        dropped: datagrams that did not.
    """

    def __init__(self, server: LiteServer) -> None:
        self.dropping = False
        self.relayed = self.dropped = 0
        self._server = server
        self._ways: dict[Any, asyncio.DatagramTransport] = {}  # client's address → its socket towards the server
        self._opening: set[Any] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where participants connect."""
        return f"ws://127.0.0.1:{self._signaling.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._signaling = await asyncio.start_server(self._signal, "127.0.0.1", 0)
        self._media, _ = await loop.create_datagram_endpoint(lambda: _FromClients(self), local_addr=("127.0.0.1", 0))
        relay_port = self._media.get_extra_info("sockname")[1]
        self._named, self._renamed = (f" {port} typ".encode() for port in (self._server.media_port, relay_port))
        assert len(self._named) == len(self._renamed), "texts of the same length"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signaling.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for way in (self._media, *self._ways.values()):
            way.close()
        await asyncio.sleep(0.1)

    def from_client(self, data: bytes, address: Any) -> None:
        """Pass a datagram on to the server."""
        if not self._passes():
            return
        if (way := self._ways.get(address)) is not None:
            way.sendto(data)
        elif address not in self._opening:  # this first datagram is lost, as some are
            self._opening.add(address)
            self._spawn(self._open(address))

    def from_server(self, data: bytes, address: Any) -> None:
        """Pass a datagram on to the client."""
        if self._passes():
            self._media.sendto(data, address)

    def _passes(self) -> bool:
        self.dropped += self.dropping
        self.relayed += not self.dropping
        return not self.dropping

    async def _open(self, address: Any) -> None:
        loop = asyncio.get_running_loop()
        self._ways[address], _ = await loop.create_datagram_endpoint(
            lambda: _FromServer(self, address), remote_addr=("127.0.0.1", self._server.media_port)
        )

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _signal(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        to_server = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, to_server[1], rename=False))
                group.create_task(self._pass_on(to_server[0], writer, rename=True))
        except* OSError:
            pass
        finally:
            for one in (writer, to_server[1]):
                one.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, rename: bool) -> None:
        held = b""
        while chunk := await reader.read(_CHUNK_BYTES):
            held += chunk
            if rename:
                held = held.replace(self._named, self._renamed)
            kept = _begun(held, self._named) if rename else 0
            writer.write(held[: len(held) - kept])
            held = held[len(held) - kept :]
            await writer.drain()
        writer.write(held)
        writer.close()


def _begun(text: bytes, pattern: bytes) -> int:
    """How many bytes at the end of `text` may be the beginning of `pattern`."""
    return next((count for count in range(len(pattern) - 1, 0, -1) if text.endswith(pattern[:count])), 0)


class _FromClients(asyncio.DatagramProtocol):
    def __init__(self, relay: MediaRelay) -> None:
        self._relay = relay

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._relay.from_client(data, addr)


class _FromServer(asyncio.DatagramProtocol):
    def __init__(self, relay: MediaRelay, client: Any) -> None:
        self._relay = relay
        self._client = client

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._relay.from_server(data, self._client)
