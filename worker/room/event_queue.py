"""A bounded queue between LiveKit's callbacks and one reader: when it overflows, the reader is told."""

from collections import deque
from collections.abc import Callable

from worker.room.events import Disconnected, RoomEvent


class EventQueue:
    """Events in order. When a reader falls behind by `limit` events, the room counts as lost: one `Disconnected`."""

    def __init__(self, limit: int = 20_000) -> None:
        self._limit = limit
        self._events: deque[RoomEvent] = deque()
        self._closed = False
        self._notify: Callable[[], None] | None = None

    def notify(self, callback: Callable[[], None]) -> None:
        """Have `callback` called after every event, for a reader that drains."""
        self._notify = callback

    def put(self, event: RoomEvent) -> None:
        """Append an event; nothing is taken after `close` or an overflow."""
        if self._closed:
            return
        if len(self._events) >= self._limit:
            self._events.clear()
            event = Disconnected("EVENT_OVERFLOW")
            self._closed = True
        self._events.append(event)
        if self._notify is not None:
            self._notify()

    def close(self) -> None:
        """Forget what is queued and take nothing more, so that late callbacks of a lost room have no effect."""
        self._closed = True
        self._events.clear()

    def drain(self) -> list[RoomEvent]:
        """Everything that is queued."""
        events = list(self._events)
        self._events.clear()
        return events
