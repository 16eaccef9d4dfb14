"""When a worker has to assume that it was replaced (design.md §3, Fence). Pure arithmetic on the boot-time clock."""

from dataclasses import dataclass, field

from store.database.boot_clock import SECOND_NS

_SHARE = 0.8  # of stalled_seconds; the rest is for the deed itself and for clocks that run apart


@dataclass(slots=True)
class SelfFence:
    """The deadline that every proven beat moves on.

    A beat is proven when its answer came back; what it proves is the instant it was *sent*, for the database may have
    done its work right then.
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
