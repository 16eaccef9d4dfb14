"""What a recorder knows of a track by its frames, and stretches that hold no true audio."""

from dataclasses import dataclass

from store.database.boot_clock import SECOND_NS

_LEAST_NS = SECOND_NS // 20  # a shorter part that is left of a stretch is dropped


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """A track that has delivered frames; instants are of the boot-time clock, in nanoseconds.

    Attributes:
        first_ns: when its first frame began, as far as its arrival tells.
        last_ns: when its last frame came.
        packets_ns: until when packets came, by readings; frames go on a little longer. None: not known.
    """

    sid: str
    identity: str
    first_ns: int
    last_ns: int
    packets_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """[from_ns, to_ns) of the boot-time clock holds no true audio of `identity`; None: of nobody.

    Attributes:
        lasts: nor does what follows, as far as is known. Another one of the same code, of no length perhaps, says when
            that has ended.
    """

    code: str
    from_ns: int
    to_ns: int
    identity: str | None = None
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A jitter buffer has made up [from_ns, to_ns) of a participant's track."""

    from_ns: int
    to_ns: int
    identity: str

    def outside(self, start_ns: int, end_ns: int) -> list["MadeUp"]:
        """The parts outside of [start_ns, end_ns), for which another gap is named."""
        if self.to_ns <= start_ns or self.from_ns >= end_ns:
            return [self]
        parts = ((self.from_ns, start_ns), (end_ns, self.to_ns))
        return [MadeUp(from_ns, to_ns, self.identity) for from_ns, to_ns in parts if to_ns - from_ns >= _LEAST_NS]
