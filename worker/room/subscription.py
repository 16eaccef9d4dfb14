"""What a run wants to hear of a room."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """Audio tracks of everybody, unless one of the fields says otherwise.

    Attributes:
        only_identity: nobody else is recorded.
        streams: PCM in byte streams instead of audio tracks.
        with_join: the tracks are asked for in the join itself, so that the first frame comes 0.4 s sooner (measured).
            LiveKit then also sends what is not wanted, video too, until it is told not to.
    """

    only_identity: str | None = None
    streams: bool = False
    with_join: bool = False
