"""Who is heard later than the others after a takeover, or after an outage of the room. Pure.

Everybody's gap ends with the first frame of anybody. Who is heard later has a gap of their own, up to their first
frame.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class LateTalkers:
    """Follows the first frames of those who are expected; instants are of any clock with `per_second` ticks.

    Args:
        most_seconds: somebody who is heard more than that after the first one was missing for another reason.
    """

    per_second: int
    most_seconds: int
    _heard_from: int | None = field(init=False, default=None)

    def first_frame(self, start: int) -> tuple[int, int] | None:
        """Take the start of somebody's first frame; returns what they lack beyond what everybody lacks, if anything."""
        if self._heard_from is None:
            self._heard_from = start
        least = self.per_second // 20  # tracks that come at the same time have frames so far apart
        if not least <= start - self._heard_from <= self.most_seconds * self.per_second:
            return None
        return self._heard_from, start
