"""A track as far as its frames tell: what a recorder knows of the tracks that it records now."""

from dataclasses import dataclass

from store.database.boot_clock import SECOND_NS

_LEAST_NS = SECOND_NS // 20  # of what is left of a stretch that is cut


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """A track that has delivered frames; instants are of the boot-time clock, in nanoseconds.

    Attributes:
        packets_ns: until when packets came, as far as readings tell; frames go on for a while. None: not known.
    """

    sid: str
    identity: str
    first_ns: int
    last_ns: int
    packets_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """[from_ns, to_ns) of the boot-time clock holds no true audio of a participant, or without an identity of any."""

    code: str
    from_ns: int
    to_ns: int
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A jitter buffer has made up [from_ns, to_ns) of a participant's track."""

    from_ns: int
    to_ns: int
    identity: str

    def outside(self, start_ns: int, end_ns: int) -> list["MadeUp"]:
        """What of it lies outside [start_ns, end_ns), for which something else is named."""
        if self.to_ns <= start_ns or self.from_ns >= end_ns:
            return [self]
        parts = ((self.from_ns, start_ns), (end_ns, self.to_ns))
        return [MadeUp(from_ns, to_ns, self.identity) for from_ns, to_ns in parts if to_ns - from_ns >= _LEAST_NS]
