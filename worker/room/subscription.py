"""What a run wants to hear of a room."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Subscription:
    """Audio tracks of everybody, unless one of the fields says otherwise.

    Attributes:
        only_identity: nobody else is recorded.
        streams: PCM in byte streams instead of audio tracks.
        with_join: the tracks are asked for in the join itself, so that the first frame comes 0.4 s sooner (measured).
            LiveKit then also sends what is not wanted, video too, until it is told not to.
        most_tracks: recorded at the same time; 0: as many as there are.
        shared_key: of the room's end-to-end encryption; without it, encrypted tracks are not asked for.
    """

    only_identity: str | None = None
    streams: bool = False
    with_join: bool = False
    most_tracks: int = 0
    shared_key: SecretStr | None = None
