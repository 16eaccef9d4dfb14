"""How much a server may send, and how long nobody dials one that sent more. Pure: time arrives as `now` (seconds)."""

from dataclasses import dataclass

from sessions.organizations.token_bucket import Rate, TokenBucket

_QUIET_SHARE = 0.125

Target = tuple[str, str, int]
"""Who asked, and for which host and port."""


@dataclass(slots=True)
class Allowance:
    """One connection's, a token being a byte. A bucket below zero has sent too much."""

    rate: Rate
    bucket: TokenBucket

    @classmethod
    def new(cls, burst_bytes: int, bytes_per_second: float, now: float) -> "Allowance":
        """A whole one: `burst_bytes` at once, and `bytes_per_second` in the long run."""
        return cls(Rate(bytes_per_second, burst_bytes), TokenBucket(burst_bytes, now))

    def take(self, count: int, now: float) -> bool:
        """Whether it may have sent `count` more bytes."""
        self.bucket.refill(self.rate, now)
        self.bucket.tokens -= count
        return self.bucket.tokens >= 0

    @property
    def used_share(self) -> float:
        """How much of its burst is used right now."""
        return 1 - self.bucket.tokens / self.rate.burst


class SharedAllowance:
    """One recorder process's: `connections_worth` whole bursts for all its connections together.

    When it is used up, those are cut off that have used more than a small share of their own: never one that is quiet.
    """

    def __init__(self, burst_bytes: int, bytes_per_second: float, connections_worth: int, now: float) -> None:
        self._all = Allowance.new(connections_worth * burst_bytes, connections_worth * bytes_per_second, now)

    def take(self, own: Allowance, count: int, now: float) -> bool:
        """Whether a connection may have sent `count` more bytes."""
        enough = self._all.take(count, now)
        self._all.bucket.tokens = max(self._all.bucket.tokens, 0)
        return own.take(count, now) and (enough or own.used_share <= _QUIET_SHARE)


class Floods:
    """Targets that sent too much: whoever suffered from it does not dial them again for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[Target, float] = {}

    def note(self, target: Target, now: float) -> None:
        """It has sent too much right now."""
        self._until = {one: until for one, until in self._until.items() if until > now}
        self._until[target] = now + self._seconds

    def lasts(self, target: Target, now: float) -> bool:
        """Whether it is still not to be dialed."""
        return self._until.get(target, now) > now
