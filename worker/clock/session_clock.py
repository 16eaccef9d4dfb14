"""A session's clock: sample 0 is `started_at` on PostgreSQL's clock.

A worker pairs PostgreSQL's clock with its boot-time clock once, at the claim, and places everything by that pair; no
wall clock is read again. Pure: instants come in as arguments.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from store.database.clock import ClockPair

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SessionClock:
    """Positions in samples relative to `started_at`; before it they are negative."""

    started_at: datetime
    pair: ClockPair

    @classmethod
    def of_stamps(cls, started_at: datetime) -> "SessionClock":
        """The clock of a session that another process recorded: it places by PostgreSQL's stamps alone."""
        return cls(started_at, ClockPair(started_at, boottime_ns=0, uncertainty_ns=0))

    def sample_at(self, boottime_ns: int) -> int:
        """The position of an instant of the boot-time clock."""
        return (boottime_ns - self._started_ns) * SAMPLE_RATE // SECOND_NS

    def sample_of(self, stamp: datetime) -> int:
        """The position of an instant of PostgreSQL's clock."""
        return (stamp - self.started_at) // _MICROSECOND * SAMPLE_RATE // 1_000_000

    def boottime_of(self, sample: int) -> int:
        """When the boot-time clock reaches a position, in nanoseconds."""
        return self._started_ns - (-sample * SECOND_NS // SAMPLE_RATE)

    def time_of(self, boottime_ns: int) -> datetime:
        """PostgreSQL's time at an instant of the boot-time clock."""
        return self.pair.db_time_at(boottime_ns)

    @property
    def _started_ns(self) -> int:
        return self.pair.boottime_ns - (self.pair.db_time - self.started_at) // _MICROSECOND * 1000
