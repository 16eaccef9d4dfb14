"""When a worker has to assume that it was replaced. Pure arithmetic on the boot-time clock.

Another worker may take a session whose beats are `stalled_seconds` old. A worker that gets no beat through can't know
whether that has happened, so it stops what others could see before that time is over.
"""

from dataclasses import dataclass, field

from store.database.boot_clock import SECOND_NS

_SHARE = 0.8  # of stalled_seconds; the rest covers what is under way at the deadline, and clocks that run apart


@dataclass(slots=True)
class SelfFence:
    """The deadline that every proven beat moves on.

    A beat is proven when its answer has come back. It proves the instant at which it was *sent*, because the database
    may have written it right then.
    """

    stalled_seconds: float
    proven_ns: int
    _share_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self._share_ns = round(self.stalled_seconds * _SHARE * SECOND_NS)

    @property
    def deadline_ns(self) -> int:
        """From here on this worker does nothing that others can see."""
        return self.proven_ns + self._share_ns

    def prove(self, sent_ns: int) -> None:
        """A beat that was sent at `sent_ns` came back; late answers move nothing back."""
        self.proven_ns = max(self.proven_ns, sent_ns)

    def expired(self, now_ns: int) -> bool:
        """Whether the deadline has passed."""
        return now_ns >= self.deadline_ns
