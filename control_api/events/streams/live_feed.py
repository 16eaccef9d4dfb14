"""The one reader of what is said in sessions, and of their levels, for all streams of this process that follow it.

Words are read when the database notifies of them, once per session; levels once a second for all sessions, as beats
notify nobody. The same look finds words whose notification was lost, or behind a pooler never came.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from aiohttp import web

from control_api.events.streams.live_message import level_message, segment_message
from sessions.errors import DatabaseError
from sessions.ids import format_id
from store.database.notify.channels import LOG_CHANNEL
from store.database.notify.notifications import RECONNECTED
from store.outputs.live_view import LiveView, Moment
from store.set_within import set_within

LOOK_SECONDS = 1.0
_MOST_WAITING = 1000  # messages for a stream; one that lets more wait does not read


class LiveFollower:
    """A stream that follows what is said in a session.

    Attributes:
        woken: set when something came.
        overrun: it did not take what came, and lacks some of it.
    """

    def __init__(self, woken: asyncio.Event) -> None:
        self.woken = woken
        self.overrun = False
        self._waiting: deque[bytes] = deque()

    def put(self, message: bytes) -> None:
        """Leave a message."""
        if len(self._waiting) >= _MOST_WAITING:
            self.overrun = True
        else:
            self._waiting.append(message)
        self.woken.set()

    def take(self) -> bytes:
        """What has come since the last time."""
        taken = b"".join(self._waiting)
        self._waiting.clear()
        return taken


class _LiveFeed:
    """One session's. `last_seq`: of the log's entries that its followers know of; None: not read yet."""

    def __init__(self, session_id: UUID) -> None:
        self.session_id = session_id
        self.last_seq: int | None = None
        self.level: bytes | None = None
        self.followers: set[LiveFollower] = set()
        self._as_of: datetime | None = None

    def begin(self, moment: Moment) -> None:
        """Take what is known already for known."""
        if self.last_seq is None:
            self.last_seq = moment.last_seq
            self.show(moment)

    def show(self, moment: Moment) -> None:
        """Tell the level, if there was a beat since."""
        if moment.as_of is not None and moment.as_of != self._as_of:
            self._as_of, self.level = moment.as_of, level_message(moment)
            self.tell(self.level)

    def tell(self, message: bytes) -> None:
        """Leave a message for everybody."""
        for follower in self.followers:
            follower.put(message)


class LiveFeeds:
    """The feeds of all sessions that somebody watches here."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self._feeds: dict[UUID, _LiveFeed] = {}
        self._changed: set[UUID] = set()
        self._look = asyncio.Event()

    def heard(self, channel: str, subject: UUID | None) -> None:
        """Take a notification; others than of words are no concern of feeds."""
        if channel == LOG_CHANNEL and subject in self._feeds:
            self._changed.add(subject)
            self._look.set()
        elif channel == RECONNECTED:
            self._changed.update(self._feeds)
            self._look.set()

    @asynccontextmanager
    async def following(self, session_id: UUID, follower: LiveFollower) -> AsyncIterator[None]:
        """The follower gets what is said from now on: what the transcript does not have as it is read in this block.

        Raises:
            DatabaseError: it could not be read where the log ends.
        """
        feed = self._feeds.setdefault(session_id, _LiveFeed(session_id))
        feed.followers.add(follower)
        try:
            if feed.last_seq is None:
                for moment in await self._view.moments([session_id]):
                    feed.begin(moment)
            elif feed.level is not None:
                follower.put(feed.level)
            yield
        finally:
            feed.followers.discard(follower)
            if not feed.followers and self._feeds.get(session_id) is feed:
                del self._feeds[session_id]

    async def run(self) -> None:
        """Read what is new, for ever."""
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while True:
            await set_within(self._look, max(0.0, looked_at + LOOK_SECONDS - loop.time()))
            self._look.clear()
            try:
                if loop.time() >= looked_at + LOOK_SECONDS:
                    looked_at = loop.time()
                    await self._look_at_all()
                while self._changed:
                    feed = self._feeds.get(self._changed.pop())
                    if feed is not None:
                        await self._read(feed)
            except DatabaseError:
                continue  # the next look finds it

    async def _look_at_all(self) -> None:
        for moment in await self._view.moments(list(self._feeds)):
            feed = self._feeds.get(moment.session_id)
            if feed is None:
                continue
            feed.begin(moment)
            feed.show(moment)
            if feed.last_seq is not None and moment.last_seq > feed.last_seq:
                self._changed.add(feed.session_id)

    async def _read(self, feed: _LiveFeed) -> None:
        session_name = format_id("sess", feed.session_id)
        while feed.last_seq is not None:
            segments, last = await self._view.said_after(feed.session_id, feed.last_seq)
            if last <= feed.last_seq:
                return
            feed.last_seq = last
            for segment in segments:
                feed.tell(segment_message(session_name, segment))


LIVE_FEEDS = web.AppKey("live feeds", LiveFeeds)
