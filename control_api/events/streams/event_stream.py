"""Events as they happen, in one answer that goes on (WHATWG HTML §9.2, server-sent events)."""

import asyncio
import random
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress

from aiohttp import hdrs, web

from control_api.events.organization_query import AskedEvents
from control_api.events.streams.event_feed import EVENT_FEEDS, EventFeed, Follower
from control_api.events.streams.framed_event import Events, FramedEvent
from control_api.events.streams.live_feed import LIVE_FEEDS, LiveFollower
from control_api.events.streams.open_streams import OPEN_STREAMS, OpenStream
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import ORGANIZATION_EVENTS
from control_api.http.serving.http_protocol import EnvelopeProtocol
from control_api.http.serving.request_metrics import METRICS
from sessions.errors import DatabaseError, ParleyError
from store.database.time_bound import database_time_bound
from store.events.cursor import Cursor
from store.events.organization_events import EventPage
from store.set_within import set_within

EVENT_STREAM = "text/event-stream"
KEEPALIVE_SECONDS = 15.0
LAST_EVENT_ID = "Last-Event-ID"
SESSION_ENDS = frozenset({"session.ended", "session.failed", "session.canceled", "session.deleted"})

_RETRY_MS = (1000, 4000)  # after a stop not everybody comes back at once
_AT_ONCE = 100
_CHUNK_BYTES = 1 << 16


class EventStream:
    """One reader's stream, from its place in the log until it ends.

    Args:
        asked: which events.
        cursor: where the reader is; None: before the oldest event.
        of_session: it ends behind the event that ends the session.
        live: besides events it has what is said in that session, and its level (`live_message`).
    """

    def __init__(
        self, call: Call, asked: AskedEvents, cursor: Cursor | None, *, of_session: bool, live: bool = False
    ) -> None:
        self._call = call
        self._asked = asked
        self._cursor = cursor
        self._of_session = of_session
        self._is_live = live
        self._live: LiveFollower | None = None
        self._content = call.reads_content
        self._response = web.StreamResponse(
            headers={
                hdrs.CONTENT_TYPE: f"{EVENT_STREAM}; charset=utf-8",
                hdrs.CACHE_CONTROL: "no-store",
                hdrs.VARY: hdrs.ACCEPT,
                "X-Accel-Buffering": "no",
            }
        )

    async def answer(self, *, over: bool = False) -> web.StreamResponse:
        """Send what happens until the stream ends.

        Args:
            over: nothing more is to come: the stream ends with what there is, and is 204 when that is nothing, which
                tells browsers not to come back.

        Raises:
            ParleyError: before anything was sent: `cursor.expired`, `cursor.unknown`, `rate_limit.streams`, `stopping`.
        """
        app, request = self._call.request.app, self._call.request
        metrics = app[METRICS]
        with app[OPEN_STREAMS].opened(self._call.principal) as stream:
            follower = Follower(stream.woken, self._asked, self._content)
            async with AsyncExitStack() as stack:
                feed = await stack.enter_async_context(app[EVENT_FEEDS].following(self._call.organization_id, follower))
                if self._is_live and self._asked.session_id is not None and not over:
                    self._live = LiveFollower(stream.woken)
                    await stack.enter_async_context(app[LIVE_FEEDS].following(self._asked.session_id, self._live))
                place, page = self._cursor, await self._read(feed)
                if over and not page.has_more and not any(self._asked.wants(event) for event in page.events):
                    return web.Response(status=204)
                try:
                    await self._response.prepare(request)
                except ConnectionError:  # gone already
                    return self._response
                if request.method == hdrs.METH_HEAD:
                    return self._response
                assert isinstance(request.protocol, EnvelopeProtocol)
                with metrics.event_streams.track_inprogress(), request.protocol.lost(lambda: stream.end("gone")):
                    await self._run(stream, feed, follower, place, page, over=over)
                metrics.event_streams_ended.labels(stream.ending).inc()
        return self._response

    async def _run(
        self,
        stream: OpenStream,
        feed: EventFeed,
        follower: Follower,
        place: Cursor | None,
        page: EventPage,
        *,
        over: bool,
    ) -> None:
        try:
            # The place where it begins: a reader that is cut off before its first event comes back to that.
            head = f"retry: {random.randint(*_RETRY_MS)}\n" + (f"id: {place}\n" if place else "")
            await self._write(head.encode() + b"\n")
            await self._send(stream, [FramedEvent(event) for event in page.events])
            while stream.ending is None:
                if page.has_more:
                    page = await self._read(feed)
                    await self._send(stream, [FramedEvent(event) for event in page.events])
                elif over:
                    stream.end("over")
                else:
                    page = await self._follow(stream, feed, follower, page)
            with suppress(ConnectionError):
                await self._response.write_eof()
        except TimeoutError:
            stream.end("slow")
            if self._call.request.transport is not None:
                self._call.request.transport.abort()
        except ConnectionError:
            stream.end("gone")
        except DatabaseError:
            stream.end("database")
        except ParleyError:
            stream.end("feed")

    async def _follow(self, stream: OpenStream, feed: EventFeed, follower: Follower, page: EventPage) -> EventPage:
        """Send what the feed has, else wait for it; a reader who has fallen behind gets a page of the log."""
        assert self._cursor is not None
        stream.woken.clear()
        await self._send_live()
        follower.place = self._cursor
        feed.pass_on(follower)
        self._cursor, follower.pending = follower.place, False
        if feed.broken:
            stream.end("feed")
        elif not feed.has(self._cursor):
            page = await self._read(feed)
            await self._send(stream, [FramedEvent(event) for event in page.events])
        elif feed.cursor.position > self._cursor.position:
            found, self._cursor = list(feed.behind(self._cursor)), feed.cursor
            await self._send(stream, found)
        else:
            await self._wait(stream, feed, follower)
        return page

    async def _wait(self, stream: OpenStream, feed: EventFeed, follower: Follower) -> None:
        """Wait for something that it has to look at; events that need no look are pushed meanwhile."""
        follower.push = None if self._of_session else self._push
        try:
            woken = await set_within(stream.woken, KEEPALIVE_SECONDS)
        finally:
            follower.push = None
        if not woken:
            feed.pass_on(follower)
        self._cursor = follower.place
        if not woken:
            # A line of its own for the place: a reader whose events are rare doesn't come back with one from long ago.
            await self._write(f":\nid: {self._cursor}\n\n".encode())

    def _push(self, events: Events) -> bool:
        """Send at once, unless something waits to be sent: then a stall has to be watched."""
        transport = self._call.request.transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return False
        chunked = self._response.headers.get(hdrs.TRANSFER_ENCODING) == "chunked"
        transport.write(events.piece(self._asked, content=self._content, chunked=chunked))
        return True

    async def _send_live(self) -> None:
        """Send what was said; a reader who lacks some of it has to come back, and read the transcript."""
        if self._live is None:
            return
        if self._live.overrun:
            raise TimeoutError
        if messages := self._live.take():
            await self._write(messages)

    async def _read(self, feed: EventFeed) -> EventPage:
        """A page of the log behind the cursor, which then moves on."""
        through, asked = feed.cursor, self._asked
        with database_time_bound(self._call.dependencies.settings.database_timeout_seconds):
            page = await self._call.request.app[ORGANIZATION_EVENTS].after(
                self._call.organization_id,
                self._cursor,
                types=asked.types,
                session_id=asked.session_id,
                agent_id=asked.agent_id,
                limit=_AT_ONCE,
            )
        # Behind the last page the filter has left out everything that the feed had read before.
        passed = not page.has_more and through.position > page.cursor.position
        self._cursor = through if passed else page.cursor
        return page

    async def _send(self, stream: OpenStream, events: Iterable[FramedEvent]) -> None:
        chunk = bytearray()
        for framed in events:
            if stream.ending is not None:
                return
            if not self._asked.wants(framed.event):
                continue
            chunk += framed.frame(content=self._content)
            if self._of_session and framed.event.type in SESSION_ENDS:
                await self._write(bytes(chunk))
                stream.end("over")
                return
            if len(chunk) >= _CHUNK_BYTES:
                await self._write(bytes(chunk))
                chunk.clear()
        if chunk:
            await self._write(bytes(chunk))

    async def _write(self, data: bytes) -> None:
        """Send; a reader who takes nothing for so long is cut off, and can go on from the last cursor."""
        async with asyncio.timeout(self._call.dependencies.settings.event_stream_stall_seconds):
            await self._response.write(data)
