"""How much audio a reconnect by the SDK itself costs. Pure: instants in boot-time nanoseconds come in.

A resumed connection keeps its tracks, and audio flows all the time. A full reconnect loses the tracks, a moment before
or after it is announced, and they come back some 100 ms after it is done (measured).
"""

from dataclasses import dataclass

from store.database.boot_clock import SECOND_NS
from worker.room.events import AudioSubscribed, AudioUnsubscribed, Reconnected, Reconnecting, RoomEvent

_BEFORE_NS = SECOND_NS  # tracks that ended so shortly before were lost to the reconnect
_LONGEST_NS = 5 * SECOND_NS  # whoever publishes later was not there before


@dataclass(slots=True)
class ReconnectHole:
    """Finds the stretch between the loss of tracks and their return."""

    reconnecting_ns: int | None = None
    _unsubscribed_ns: int | None = None
    _since_ns: int | None = None
    _reconnected_ns: int | None = None

    def take(self, event: RoomEvent, now_ns: int) -> tuple[int, int] | None:
        """Take note of an event; the hole that it closes, as [from, to)."""
        match event:
            case AudioUnsubscribed():
                self._unsubscribed_ns = now_ns
                if self._since_ns is None:
                    self._since_ns = self.reconnecting_ns
            case Reconnecting():
                self.reconnecting_ns, self._reconnected_ns = now_ns, None
                lost_ns = self._unsubscribed_ns
                if lost_ns is not None and now_ns - lost_ns < _BEFORE_NS:
                    self._since_ns = lost_ns
            case Reconnected():
                self.reconnecting_ns, self._reconnected_ns = None, now_ns
            case AudioSubscribed():
                return self.close(now_ns)
        return None

    def expired(self, now_ns: int) -> tuple[int, int] | None:
        """The hole whose tracks did not come back in time, because their participants are gone."""
        if self._reconnected_ns is None or now_ns - self._reconnected_ns < _LONGEST_NS:
            return None
        return self.close(self._reconnected_ns)

    def close(self, now_ns: int) -> tuple[int, int] | None:
        """End the open hole now, and return it."""
        since_ns, self._since_ns = self._since_ns, None
        self._unsubscribed_ns = self._reconnected_ns = None
        return None if since_ns is None else (since_ns, now_ns)
