"""A token bucket: so much at once, and then so much per second. It is told the time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket holds up to `burst` tokens and gets `per_second` new ones."""

    per_second: float
    burst: int


@dataclass(slots=True)
class TokenBucket:
    """What one asker has left at `at`, in seconds of any clock that never goes back. A new bucket is full."""

    tokens: float
    at: float

    def refill(self, rate: Rate, now: float) -> None:
        """Put in what has come since it was last looked at."""
        self.tokens = min(float(rate.burst), self.tokens + (now - self.at) * rate.per_second)
        self.at = now

    def seconds_until_one(self, rate: Rate) -> float:
        """How long until there is a token; 0: now."""
        return max(0.0, (1 - self.tokens) / rate.per_second)
