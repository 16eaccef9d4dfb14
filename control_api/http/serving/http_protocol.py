"""Requests that aiohttp cannot read, and which reach no middleware: answered in the envelope, without an echo of them.

aiohttp answers them in text/plain and quotes the input (measured); its log line quotes it too. Also the `Expect`
header, which it judges before any middleware runs.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from control_api.http.answers.envelope import error_answer
from control_api.http.answers.request_id import request_id
from control_api.http.serving.boundary import CODE, refuse
from control_api.http.serving.connection_bounds import ConnectionBounds
from sessions.errors import ParleyError

HEAD_SECONDS = 10.0
DRAIN_POLL_SECONDS = 0.05

_log = structlog.get_logger(__name__)


class EnvelopeProtocol(RequestHandler):
    """One connection, whose protocol errors are answered as all others."""

    __slots__ = ("_head_due", "_on_lost")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection that brings no request within 10 seconds is closed: headers that trickle hold nothing."""
        super().connection_made(transport)
        self._on_lost: Callable[[], None] | None = None
        self._head_due: asyncio.TimerHandle | None = None
        self._expect_head()
        if isinstance(self._manager, EnvelopeServer):
            peer = transport.get_extra_info("peername")
            self._manager.bounds.add(self, peer[0] if isinstance(peer, tuple) else None)

    def data_received(self, data: bytes) -> None:
        """The head of every request, not only of the first, is due 10 seconds after it began to come."""
        requests = self._request_count
        super().data_received(data)
        if isinstance(self._manager, EnvelopeServer):
            self._manager.bounds.touch(self)
        if self._request_count != requests:
            self._have_head()
        elif self._head_due is None and not self.busy:
            self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone."""
        self._have_head()
        if isinstance(self._manager, EnvelopeServer):
            self._manager.bounds.remove(self)
        if self._on_lost is not None:
            self._on_lost()
        super().connection_lost(exc)

    @contextmanager
    def lost(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` when the client goes away during this block: aiohttp says it only to who writes."""
        self._on_lost = tell
        try:
            yield
        finally:
            self._on_lost = None

    @property
    def busy(self) -> bool:
        """Whether a request has begun that is not answered to its end."""
        return self._request_in_progress or bool(self._messages)

    def _expect_head(self) -> None:
        self._head_due = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._head_overdue)

    def _have_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _head_overdue(self) -> None:
        self._head_due = None
        if not self.busy:
            self.force_close()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be read, or broke outside of the middlewares; the connection is closed."""
        ours = not isinstance(exc, HttpProcessingError) and status >= 500
        if ours:
            _log.error("request.broke", request_id=request_id(request), error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        code, text = (
            ("internal", "something went wrong on our side; quote the request id")
            if ours
            else ("request.malformed", "the HTTP request could not be read")
        )
        request[CODE] = code
        answer = error_answer(ParleyError(code, text), request_id(request))
        answer.force_close()
        return answer


class EnvelopeServer(web.Server):
    """Makes an `EnvelopeProtocol` per connection."""

    bounds: ConnectionBounds

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        return EnvelopeProtocol(self, loop=self._loop, **self._kwargs)

    async def drain(self, seconds: float) -> None:
        """Close what is idle, and let what has begun finish, for so long.

        aiohttp's own shutdown stops reading at once: a body that is still arriving never would (measured).
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            busy = False
            for connection in self.connections:
                if isinstance(connection, EnvelopeProtocol) and connection.busy:
                    busy = True
                else:
                    connection.close()
            if not busy or asyncio.get_running_loop().time() >= deadline:
                return
            await asyncio.sleep(DRAIN_POLL_SECONDS)


class EnvelopeRunner(web.AppRunner):
    """An AppRunner that serves through `EnvelopeServer`, no more connections than `bounds` allow."""

    def __init__(self, app: web.Application, *, bounds: ConnectionBounds, **options: Any) -> None:
        super().__init__(app, **options)
        self._bounds = bounds

    async def stop_in_steps(self, seconds: float) -> None:
        """Listen no more, drain, then close whatever is left."""
        for site in self.sites:
            await site.stop()
        if isinstance(self.server, EnvelopeServer):
            await self.server.drain(seconds)
        await self.cleanup()

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = EnvelopeServer
        assert isinstance(server, EnvelopeServer)
        server.bounds = self._bounds
        return server


async def expect(request: web.Request) -> web.StreamResponse | None:
    """`Expect: 100-continue` is granted; anything else is refused (RFC 9110 §10.1.1)."""
    if request.headers[hdrs.EXPECT].lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # what follows is the answer
        return None
    return refuse(request, ParleyError("expectation.unsupported", "only Expect: 100-continue is understood"))
