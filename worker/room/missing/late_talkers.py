"""Who is heard later than the others once the worker is (back) in a room: everybody's gap ends with the first one,
theirs with their own. So it is after a takeover, and after an outage of the room. Pure."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class LateTalkers:
    """Follows the first frames of those who are expected; instants are of any clock with `per_second` ticks.

    Args:
        most_seconds: whoever is heard later than that after the first one is missing for another reason.
    """

    per_second: int
    most_seconds: int
    _heard_from: int | None = field(init=False, default=None)

    def first_frame(self, start: int) -> tuple[int, int] | None:
        """Somebody's first frame begins here; what is missing of them, beyond what is missing of everybody."""
        if self._heard_from is None:
            self._heard_from = start
        least = self.per_second // 20  # frames of tracks that come at the same time lie so far apart
        if not least <= start - self._heard_from <= self.most_seconds * self.per_second:
            return None
        return self._heard_from, start
