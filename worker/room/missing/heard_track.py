"""A track as far as its frames tell: what a recorder knows of the tracks that it records now."""

from dataclasses import dataclass


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
