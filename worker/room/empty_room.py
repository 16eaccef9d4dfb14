"""The stretches in which nobody was in the room. Pure: instants in boot-time nanoseconds come in."""

from dataclasses import dataclass, field

from store.database.boot_clock import SECOND_NS

_PIECE_NS = SECOND_NS


@dataclass(slots=True)
class EmptyRoom:
    """Follows one run's rooms, and hands out [from_ns, to_ns) of each stretch.

    A stretch that goes on is handed out a second at a time, so that no end of the run loses more of it; its pieces
    touch each other. What cannot be known (the SDK is reconnecting, the worker is out of the room) belongs to a stretch
    only if nobody was there before and nobody is there afterwards, in the same room.
    """

    _told_ns: int = field(init=False, default=0)  # handed out up to here
    _seen_ns: int | None = field(init=False, default=None)  # when nobody was there at last; None: somebody is
    _sure: bool = field(init=False, default=False)  # that nobody came since

    def entered(self, joined_ns: int) -> None:
        """The worker is in a room, for the first time or again; who is there was announced at `joined_ns`."""
        self._told_ns = self._seen_ns = joined_ns
        self._sure = False

    def look(self, now_ns: int, deserted: bool | None) -> list[tuple[int, int]]:
        """What is known by now and was not handed out before; `deserted`: None if that cannot be known."""
        if deserted is None:
            self._sure = False
            return self._tell(self._seen_ns)
        if not deserted:
            return self._come(now_ns)
        if self._seen_ns is None:
            self._told_ns = now_ns
        self._seen_ns, self._sure = now_ns, True
        return self._tell(now_ns) if now_ns - self._told_ns >= _PIECE_NS else []

    def close(self, now_ns: int) -> list[tuple[int, int]]:
        """The rest, up to now, the end of the run."""
        return self._come(now_ns)

    def _come(self, now_ns: int) -> list[tuple[int, int]]:
        found = self._tell(now_ns if self._sure else self._seen_ns)
        self._seen_ns, self._sure = None, False
        return found

    def _tell(self, to_ns: int | None) -> list[tuple[int, int]]:
        if to_ns is None or to_ns <= self._told_ns:
            return []
        from_ns, self._told_ns = self._told_ns, to_ns
        return [(from_ns, to_ns)]
