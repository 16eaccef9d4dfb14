"""The one reader of an organization's log for all streams of this process: each event is read and written down once.

Streams keep a place in the log. They take what follows from the feed while it still has that; a stream that is further
behind reads the log by itself until it has caught up. Positions have no holes, so a place is all that a stream needs to
know. A stream is woken by what it asks for, so that thousands which each follow one session cost little.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiohttp import web

from control_api.events.organization_query import AskedEvents
from control_api.events.streams.framed_event import Events, FramedEvent
from control_api.http.serving.work_slices import WorkSlices
from sessions.errors import DatabaseError, ParleyError
from sessions.ids import format_id
from store.database.notify.channels import EVENT_CHANNEL
from store.database.notify.notifications import RECONNECTED
from store.events.cursor import BEGINNING, Cursor
from store.events.event import Event
from store.events.organization_events import OrganizationEvents
from store.set_within import set_within

POLL_SECONDS = 1.0  # a lost notification costs so much, and each event behind a pooler
_KEPT = 128  # events per feed, for streams that are a little behind
_KEPT_BYTES = 1 << 20
_AT_ONCE = 64
_SLICE = 32  # streams that are told before a rest: some tenths of a millisecond

_log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Follower:
    """A stream that follows a feed.

    Attributes:
        woken: set when something came that it asks for, or when it has to look for another reason.
        content: whether it may have it.
        place: it has everything through here.
        push: while it waits, and needs not look at events itself: takes what is sent as it is; False: it must be woken.
        pending: something came that it asks for.
        quiet: nothing that it asks for lies between its place and here; of use while it is `pending`.
    """

    woken: asyncio.Event
    asked: AskedEvents
    content: bool = False
    place: Cursor = BEGINNING
    push: Callable[[Events], bool] | None = None
    pending: bool = False
    quiet: Cursor = BEGINNING


class EventFeed:
    """The newest events of one organization.

    Attributes:
        cursor: how far the log was read: everything through here was committed.
        broken: the log was restored to an earlier time, or is too far ahead; its streams end.
    """

    def __init__(self, cursor: Cursor, slices: WorkSlices) -> None:
        self.cursor = cursor
        self._slices = slices
        self.broken = False
        self._told = cursor  # through here, all followers know whether something is for them
        self._kept: deque[FramedEvent] = deque(maxlen=_KEPT)
        self._followers: dict[UUID | None, set[Follower]] = {}  # by the session that they ask for

    @property
    def idle(self) -> bool:
        """Whether nobody follows it."""
        return not self._followers

    def has(self, cursor: Cursor) -> bool:
        """Whether everything behind the cursor, as far as the feed has come, is still here."""
        return cursor.position >= self.cursor.position - len(self._kept)

    def behind(self, cursor: Cursor) -> Iterator[FramedEvent]:
        """What is here behind the cursor, for which `has` is true."""
        return itertools.islice(self._kept, max(0, cursor.position - (self.cursor.position - len(self._kept))), None)

    def pass_on(self, follower: Follower) -> None:
        """Move a follower's place on as far as nothing is for it."""
        quiet = follower.quiet if follower.pending else self._told
        if quiet.position > follower.place.position:
            follower.place = quiet

    async def take(self, events: tuple[Event, ...], cursor: Cursor) -> None:
        """Append what was read, and wake those that ask for some of it, a few at a time."""
        newest = [FramedEvent(event) for event in events]
        self._kept.extend(newest)
        kept_bytes = sum(len(framed.frame(content=True)) for framed in self._kept)
        while kept_bytes > _KEPT_BYTES:
            kept_bytes -= len(self._kept.popleft().frame(content=True))
        self.cursor = cursor
        sessions = {None, *(event.session_id for event in events)}
        followers = [one for session_id in sessions for one in self._followers.get(session_id, ())]
        loop, told = asyncio.get_running_loop(), 0
        began, batch = loop.time(), Events(newest)
        for follower in followers:
            if not any(map(follower.asked.wants, events)):
                continue
            if not _pushed(follower, batch, cursor):
                if not follower.pending:
                    follower.pending, follower.quiet = True, self._told
                follower.woken.set()
            told += 1
            if told % _SLICE == 0:
                began = await self._slices.rest(began)
        self._told = cursor

    def end(self) -> None:
        """Let all streams end."""
        self.broken = True
        for follower in itertools.chain.from_iterable(self._followers.values()):
            follower.woken.set()

    @contextmanager
    def followed(self, follower: Follower) -> Iterator[None]:
        """The follower is woken in this block."""
        session_id = follower.asked.session_id
        self._followers.setdefault(session_id, set()).add(follower)
        try:
            yield
        finally:
            self._followers[session_id].discard(follower)
            if not self._followers[session_id]:
                del self._followers[session_id]


def _pushed(follower: Follower, batch: Events, cursor: Cursor) -> bool:
    """Give a follower that waits the newest events at once; False: it has to be woken."""
    if follower.push is None or follower.pending or follower.place.position >= batch.first_position:
        return False
    if not follower.push(batch):
        return False
    follower.place = cursor
    return True


class EventFeeds:
    """The feeds of all organizations that somebody follows here."""

    def __init__(self, log: OrganizationEvents) -> None:
        self._log = log
        self._feeds: dict[UUID, EventFeed] = {}
        self._slices = WorkSlices()
        self._changed: set[UUID] = set()
        self._reading: set[UUID] = set()
        self._one_reads = asyncio.Lock()  # requests need connections, too
        self._look = asyncio.Event()

    def heard(self, channel: str, subject: UUID | None) -> None:
        """Take a notification; others than of events are no concern of feeds."""
        if channel == EVENT_CHANNEL and subject is not None:
            self._changed.add(subject)
            self._look.set()
        elif channel == RECONNECTED:
            self._changed.update(self._feeds)
            self._look.set()

    @asynccontextmanager
    async def following(self, organization_id: UUID, follower: Follower) -> AsyncIterator[EventFeed]:
        """The organization's feed, which wakes the follower.

        Raises:
            DatabaseError: the end of the log could not be read.
        """
        if organization_id not in self._feeds:
            cursor = await self._log.newest_cursor(organization_id)
            self._feeds.setdefault(organization_id, EventFeed(cursor, self._slices))
        feed = self._feeds[organization_id]
        try:
            with feed.followed(follower):
                yield feed
        finally:
            if feed.idle and self._feeds.get(organization_id) is feed:
                del self._feeds[organization_id]

    async def run(self) -> None:
        """Read what is new, for ever; no feed waits until another one has told its streams."""
        loop = asyncio.get_running_loop()
        polled_at = loop.time()
        async with asyncio.TaskGroup() as group:
            while True:
                await set_within(self._look, max(0.0, polled_at + POLL_SECONDS - loop.time()))
                self._look.clear()
                if loop.time() >= polled_at + POLL_SECONDS:
                    polled_at = loop.time()
                    self._changed = set(self._feeds)
                for organization_id in self._changed - self._reading:
                    self._changed.discard(organization_id)
                    feed = self._feeds.get(organization_id)
                    if feed is not None:
                        self._reading.add(organization_id)
                        group.create_task(self._read(organization_id, feed), name="event feed")

    async def _read(self, organization_id: UUID, feed: EventFeed) -> None:
        try:
            has_more = True
            while has_more:
                async with self._one_reads:
                    page = await self._log.after(organization_id, feed.cursor, limit=_AT_ONCE)
                has_more = page.has_more
                if page.events:
                    await feed.take(page.events, page.cursor)
        except DatabaseError:
            return  # the next poll looks again
        except ParleyError as error:
            _log.warning("feed.broken", organization_id=format_id("org", organization_id), code=error.code)
            self._feeds.pop(organization_id, None)
            feed.end()
        finally:
            self._reading.discard(organization_id)
            if organization_id in self._changed:
                self._look.set()


EVENT_FEEDS = web.AppKey("event feeds", EventFeeds)
