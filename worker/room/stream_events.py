"""What happens to PCM in byte streams, as values; instants are of the boot-time clock, in nanoseconds."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

AUDIO_STREAM = "lk.audio_stream"
"""The topic of byte streams of PCM."""


@dataclass(frozen=True, slots=True)
class PcmOpened:
    """A participant has begun a segment. Nothing of it arrives before somebody runs `read`; `close` refuses it.

    Attributes:
        number: counts this room's streams.
        attributes: what the sender says about its PCM.
    """

    number: int
    identity: str
    attributes: Mapping[str, str]
    read: Callable[[], Coroutine[Any, Any, None]]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class PcmArrived:
    """Bytes of a stream, cut anywhere."""

    number: int
    at_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PcmEnded:
    """Nothing more of a stream will arrive."""

    number: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class PlayoutCleared:
    """A sender has taken back what was not played at this instant."""

    identity: str
    at_ns: int


StreamEvent = PcmOpened | PcmArrived | PcmEnded | PlayoutCleared


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """For the sender: a segment's first sample is played."""


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """For the sender: a segment is over after `playback_position` seconds. livekit-agents has named the fields."""

    playback_position: float
    interrupted: bool


PlaybackNotice = PlaybackStarted | PlaybackFinished
