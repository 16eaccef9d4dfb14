"""The proxy: it dials what may be dialed, passes bytes on, counts those of servers, and cuts off who sends too many."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from sessions.destinations.room_url import AllowedAddresses
from worker.guard.addresses import Resolve, allowed_addresses, system_resolver
from worker.guard.allowance import Allowance, Floods, SharedAllowance, Target
from worker.guard.open_connections import OpenConnection, OpenConnections
from worker.guard.refusals import Refusal, RefusedError
from worker.guard.request_head import MOST_BYTES, Ask, RequestHead
from worker.guard.spans import Spans
from worker.guard.traffic import written
from worker.guard.upstream import Upstream, upstream_of

_log = structlog.get_logger(__name__)

CUT_SECONDS = 5.0  # the SDK makes its next attempt at once, is refused, and gives up

_HEAD_SECONDS = 10.0
_RESOLVE_SECONDS = 5.0
_DIAL_SECONDS = 5.0
_READ_BYTES = 16384
_CONNECTIONS_WORTH = 8
_MOST_PROCESSES = 256

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class GuardRules:
    """What the proxy allows.

    Attributes:
        allowed: addresses that may be dialed.
        burst_bytes: what a server may send at once.
        bytes_per_second: what it may send in the long run.
        flood_seconds: for so long one that sent more is not dialed again.
        silence_seconds: a client that has sent nothing for so long is not in a room, as those send signs of life.
    """

    allowed: AllowedAddresses
    burst_bytes: int
    bytes_per_second: float
    flood_seconds: float
    silence_seconds: float


class GuardProxy:
    """Serves connections; `open_connections` is how many there are."""

    def __init__(
        self,
        rules: GuardRules,
        *,
        resolve: Resolve = system_resolver,
        upstream: Callable[[str, bool], Upstream | None] = lambda host, tunnel: upstream_of(host, tunnel=tunnel),
    ) -> None:
        self.open_connections = 0
        self._rules = rules
        self._resolve = resolve
        self._upstream = upstream
        self._floods = Floods(rules.flood_seconds)
        self._cut = Floods(CUT_SECONDS)
        self._open = OpenConnections()
        self._shared: OrderedDict[str, SharedAllowance] = OrderedDict()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end. Raises nothing but cancellation."""
        self.open_connections += 1
        try:
            await self._serve(reader, writer)
        except RefusedError as error:
            with contextlib.suppress(OSError):
                writer.write(error.refusal.answer)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # one of both sides is gone, or was never there
        finally:
            self.open_connections -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = RequestHead.read(await reader.readuntil(b"\r\n\r\n"))
        target = (head.whose, head.host, head.port)
        if head.ask is not None:
            writer.write(self._answer(head.ask, target, head.spans))
            return
        allowance = Allowance.new(self._rules.burst_bytes, self._rules.bytes_per_second, time.monotonic())
        with self._open.having(target, writer, allowance) as connection:
            await self._reach(head, target, connection, (reader, writer))

    def _answer(self, ask: Ask, target: Target, spans: Spans | None) -> bytes:
        body = b""
        if ask is Ask.CUT:
            self._cut_off(target, spans)
        else:
            body = written([one.traffic for one in self._open.to(target, spans)])
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

    def _cut_off(self, target: Target, spans: Spans | None) -> None:
        """End its connections to there. All of them: its next attempts are refused, too."""
        if spans is None:
            self._cut.note(target, time.monotonic())
        cut = self._open.to(target, spans)
        _log.info("guard.cut_off", host=target[1], port=target[2], owner=target[0], connections=len(cut))
        for one in cut:
            one.client.transport.abort()

    async def _reach(self, head: RequestHead, target: Target, connection: OpenConnection, client: Streams) -> None:
        if self._floods.lasts(target, time.monotonic()):
            raise RefusedError(Refusal.FLOODED)
        reader, writer = client
        try:
            if self._cut.lasts(target, time.monotonic()):
                raise RefusedError(Refusal.CUT_OFF)
            server, to_server = await self._dial(head)
        except RefusedError as error:
            _log.info("guard.refused", host=head.host, port=head.port, why=str(error.refusal), owner=head.whose)
            raise
        try:
            if head.passed_on:
                to_server.write(head.passed_on)
            else:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await self._pass_on(head, connection, (reader, writer), (server, to_server))
        finally:
            to_server.close()

    async def _dial(self, head: RequestHead) -> Streams:
        addresses = await allowed_addresses(head.host, head.port, self._rules.allowed, self._resolve, _RESOLVE_SECONDS)
        upstream = self._upstream(head.host, not head.passed_on)
        if upstream is not None:
            return await self._dial_through(upstream, head.target)
        refused = False
        for address in addresses:
            try:
                return await _connect(address, head.port)
            except ConnectionRefusedError:
                refused = True
            except (OSError, TimeoutError):
                continue
        raise RefusedError(Refusal.REFUSED if refused else Refusal.UNREACHABLE)

    @staticmethod
    async def _dial_through(upstream: Upstream, target: str) -> Streams:
        try:
            reader, writer = await _connect(upstream.host, upstream.port)
        except (OSError, TimeoutError):
            raise RefusedError(Refusal.UNREACHABLE) from None
        answer = b""
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.write(upstream.connect(target))
            async with asyncio.timeout(_HEAD_SECONDS):
                answer = await reader.readuntil(b"\r\n\r\n")
        if answer.split(b" ", 2)[1:2] != [b"200"]:
            writer.close()
            raise RefusedError(Refusal.UNREACHABLE)
        return reader, writer

    async def _pass_on(self, head: RequestHead, connection: OpenConnection, client: Streams, server: Streams) -> None:
        """Both ways, until one side ends, the client is silent for too long, or the server has sent too much."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._up(head, client[0], server[1]), name="to the server")
                group.create_task(self._down(head, connection, server[0], client[1]), name="to the client")
        except* _OverError:
            pass
        except* (OSError, TimeoutError):
            pass

    def _shared_by(self, whose: str) -> SharedAllowance:
        """Kept for the latest processes: who has gone is forgotten at some time."""
        rules = self._rules
        if whose not in self._shared:
            new = SharedAllowance(rules.burst_bytes, rules.bytes_per_second, _CONNECTIONS_WORTH, time.monotonic())
            self._shared[whose] = new
            if len(self._shared) > _MOST_PROCESSES:
                self._shared.popitem(last=False)
        return self._shared[whose]

    async def _up(self, head: RequestHead, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(self._rules.silence_seconds):
                    data = await client.read(_READ_BYTES)
            except TimeoutError:
                _log.info("guard.silent_client", host=head.host, port=head.port, owner=head.whose)
                raise _OverError from None
            if not data or head.passed_on:  # another request, perhaps for another host, is not this server's
                raise _OverError
            to_server.write(data)
            await to_server.drain()

    async def _down(
        self,
        head: RequestHead,
        connection: OpenConnection,
        server: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> None:
        shared = self._shared_by(head.whose)
        while data := await server.read(_READ_BYTES):
            connection.received_bytes += len(data)
            if not shared.take(connection.allowance, len(data), time.monotonic()):
                self._floods.note((head.whose, head.host, head.port), time.monotonic())
                _log.warning("guard.flood", host=head.host, port=head.port, owner=head.whose)
                to_client.transport.abort()  # what waits to be sent is not wanted either
                raise _OverError
            to_client.write(data)
            await to_client.drain()
        with contextlib.suppress(OSError):
            await to_client.drain()
        raise _OverError


class _OverError(Exception):
    """The connection is over."""


async def _connect(host: str, port: int) -> Streams:
    async with asyncio.timeout(_DIAL_SECONDS):
        return await asyncio.open_connection(host, port, limit=MOST_BYTES)
