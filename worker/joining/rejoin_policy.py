"""How often and how long a room is tried again. Pure: instants in nanoseconds of the boot-time clock come in."""

import random
from dataclasses import dataclass

from store.database.boot_clock import SECOND_NS

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RejoinPolicy:
    """A budget that ends at `deadline_ns`, and pauses that double up to five seconds.

    For the first join the budget counts from the claim; after a drop from the last beat that was sent while joined.
    """

    deadline_ns: int

    @classmethod
    def lasting(cls, since_ns: int, seconds: float) -> "RejoinPolicy":
        """A budget of `seconds` from `since_ns` on."""
        return cls(since_ns + round(seconds * SECOND_NS))

    def seconds_left(self, now_ns: int) -> float:
        """What is left of the budget; 0 when it is used up."""
        return max(0.0, (self.deadline_ns - now_ns) / SECOND_NS)

    def pause_seconds(self, attempt: int, *, jitter: float) -> float:
        """The pause before attempt number `attempt` (0, the first, has none); `jitter` in 0…1 keeps workers apart."""
        if attempt == 0:
            return 0.0
        longest = min(_FIRST_SECONDS * 2.0 ** min(attempt - 1, 16), _LONGEST_SECONDS)
        return longest * (0.5 + 0.5 * jitter)


def may_attempt(*, dropped_ns: int | None, proven_ns: int) -> bool:
    """Whether a join is allowed: after a drop only with a beat that was sent after it and came back."""
    return dropped_ns is None or proven_ns > dropped_ns


def jitter() -> float:
    """A random number in 0…1 for `pause_seconds`."""
    return random.random()
