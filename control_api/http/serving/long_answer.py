"""Answers of any length, sent while they are read. Short ones are answered at once, with their length."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiohttp import hdrs, web

from control_api.http.answers.list_pieces import list_pieces
from control_api.http.answers.models import AnswerModel
from control_api.http.requests.call import Call
from control_api.http.serving.bulk_reads import BULK_READS
from sessions.errors import ParleyError
from store.database.time_bound import database_time_bound

AT_ONCE_BYTES = 64 << 10

Item = TypeVar("Item", bound=AnswerModel)

_log = structlog.get_logger(__name__)


async def long_answer(
    call: Call,
    pieces: AsyncGenerator[bytes, None],
    *,
    content_type: str,
    headers: Mapping[str, str] | None = None,
    in_turns: bool = True,
) -> web.StreamResponse:
    """The pieces one after the other: with Content-Length when they are few, else in chunks (RFC 9112 §7.1).

    What fails before the first 64 KiB is an error as any other; after that the connection is cut off, so that no client
    takes a part for the whole.

    Args:
        pieces: about a page (`store.database.page_bytes`) each; all but the first from the pool for long answers.
        content_type: with its charset, where it has one.
        in_turns: pieces come from the database.

    Raises:
        RefusedRequestError: `rate_limit.requests`.
    """
    headers = {hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "private, no-cache", **(headers or {})}
    async with aclosing(pieces):
        reading = _Reading(call, pieces, in_turns)
        begun = bytearray(await anext(pieces, b""))
        while len(begun) <= AT_ONCE_BYTES:
            piece = await reading.more()
            if piece is None:
                return web.Response(body=bytes(begun), headers=headers)
            begun += piece
        with call.request.app[BULK_READS].sending(call.organization_id):
            return await _send(call, begun, reading, headers)


async def long_list(
    call: Call,
    pages: AsyncGenerator[tuple[Sequence[Item], bool], None],
    cursor: Callable[[Item], str] | None = None,
) -> web.StreamResponse:
    """A list of any length; see `list_pieces`."""
    async with aclosing(pages):
        return await long_answer(call, list_pieces(pages, cursor), content_type="application/json")


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the pieces behind the first one, each in its turn and within a bound of its own."""

    call: Call
    pieces: AsyncGenerator[bytes, None]
    in_turns: bool

    async def more(self) -> bytes | None:
        """The next piece; None: that was all."""
        app, settings = self.call.request.app, self.call.dependencies.settings
        turn = app[BULK_READS].turn(self.call.organization_id) if self.in_turns else nullcontext()
        async with turn:
            with database_time_bound(settings.database_timeout_seconds):
                return await anext(self.pieces, None)


async def _send(call: Call, begun: bytearray, reading: _Reading, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    try:
        await response.prepare(call.request)
        if call.request.method == hdrs.METH_HEAD:
            return response
        piece: bytes | bytearray | None = begun
        while piece is not None:
            await _write(call, response, piece)
            piece = await reading.more()
        await response.write_eof()
    except ConnectionError:
        pass  # nobody is left to read it
    except (ParleyError, TimeoutError) as error:
        code = error.code if isinstance(error, ParleyError) else None
        _log.warning("answer.broken_off", error=type(error).__name__, code=code)
        if call.request.transport is not None:
            call.request.transport.abort()
    return response


async def _write(call: Call, response: web.StreamResponse, piece: bytes | bytearray) -> None:
    """Send; a reader who takes nothing for so long is cut off."""
    seconds = call.dependencies.settings.event_stream_stall_seconds
    for start in range(0, len(piece), AT_ONCE_BYTES):
        async with asyncio.timeout(seconds):
            await response.write(bytes(piece[start : start + AT_ONCE_BYTES]))
        await asyncio.sleep(0)  # a reader who takes it at once leaves no other request its turn
