"""What the long standstills of one track have cost it, for whoever asks within seconds. Pure."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

_MOST_KNOWN = 16  # long standstills that are remembered; each is asked for within seconds


class _Long(NamedTuple):
    """A long standstill: when the first frame after it came, and [from_ns, to_ns), which it cost."""

    woke_ns: int
    from_ns: int
    to_ns: int


@dataclass(slots=True)
class StandstillCosts:
    """Remembers the last ones; instants are of the boot-time clock, in nanoseconds."""

    _known: deque[_Long] = field(init=False, default_factory=lambda: deque(maxlen=_MOST_KNOWN))
    _untold: tuple[int, int] | None = field(init=False, default=None)  # what the last one cost, not taken yet

    def note(self, woke_ns: int, from_ns: int, to_ns: int) -> None:
        """After one that ended at `woke_ns`, nothing in [from_ns, to_ns) is true; it may be empty."""
        self._known.append(_Long(woke_ns, from_ns, to_ns))
        if to_ns > from_ns:
            self._untold = (from_ns, to_ns)

    def take(self) -> tuple[int, int] | None:
        """Return what the last one cost, if anything, once."""
        untold, self._untold = self._untold, None
        return untold

    def within(self, from_ns: int, to_ns: int) -> tuple[int, int]:
        """The part of a long standstill of the process between these instants for which the track has no true audio.

        It is all of it when the track has noticed no standstill then.
        """
        known = [one for one in self._known if one.woke_ns >= from_ns and one.from_ns <= to_ns]
        lacking = [one for one in known if one.to_ns > one.from_ns]
        if known and not lacking:
            return from_ns, from_ns
        return (
            min((one.from_ns for one in lacking), default=from_ns),
            max((one.to_ns for one in lacking), default=to_ns),
        )
