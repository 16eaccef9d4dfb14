"""How many audio tracks of a room are recorded at the same time: who publishes without end takes nobody's memory."""


class TrackPlaces:
    """The places of one session; `most` 0: as many as there are tracks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: set[str] = set()

    def take(self, sid: str) -> bool:
        """Whether the track has a place: the one that it has already, or one that is free."""
        if sid not in self._taken and self._most and len(self._taken) >= self._most:
            return False
        self._taken.add(sid)
        return True

    def leave(self, sid: str) -> None:
        """The track is there no more. One that was left out stays out until it is published anew."""
        self._taken.discard(sid)
