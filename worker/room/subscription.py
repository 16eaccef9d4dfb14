"""What a run wants to hear of a room."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """Audio tracks of everybody, unless one of the fields says otherwise.

    Attributes:
        only_identity: nobody else is recorded.
        streams: PCM in byte streams instead of audio tracks.
    """

    only_identity: str | None = None
    streams: bool = False
