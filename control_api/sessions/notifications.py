"""The hub between one LISTEN per process and the requests that wait for a session to move."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from aiohttp import web

from store.database.notify.channels import DELIVERED_CHANNEL, SESSION_CHANNEL
from store.database.notify.notifications import RECONNECTED


class SessionNotifications:
    """Wakes waiters of a session; a missed notification costs them a poll interval, no more."""

    def __init__(self) -> None:
        self._waiters: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self.stopping = False

    def heard(self, channel: str, subject: UUID | None) -> None:
        """Pass a notification on. After a gap anything may have moved: everybody looks again."""
        if channel in (SESSION_CHANNEL, DELIVERED_CHANNEL) and subject is not None:
            for event in self._waiters.get(subject, ()):
                event.set()
        elif channel == RECONNECTED:
            self.wake_all()

    @contextmanager
    def subscription(self, session_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever the session may have moved, or a message of it was delivered.

        Subscribe first, then read, then wait.
        """
        event = asyncio.Event()
        self._waiters[session_id].add(event)
        try:
            yield event
        finally:
            self._waiters[session_id].discard(event)
            if not self._waiters[session_id]:
                del self._waiters[session_id]

    def stop(self) -> None:
        """The process stops: long polls answer with what there is."""
        self.stopping = True
        self.wake_all()

    def wake_all(self) -> None:
        """Let every waiter look again."""
        for events in self._waiters.values():
            for event in events:
                event.set()


NOTIFICATIONS = web.AppKey("notifications", SessionNotifications)
