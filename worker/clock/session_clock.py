"""A session's clock: sample 0 is `started_at` on PostgreSQL's clock.

A worker pairs PostgreSQL's clock with its boot-time clock once, at the claim, and places everything by that pair; no
wall clock is read again. Pure: instants come in as arguments.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SAMPLE_RATE = 48_000
_SECOND_NS = 1_000_000_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SessionClock:
    """Positions in samples relative to `started_at`; before it they are negative.

    `db_time` is what PostgreSQL's clock said when the boot-time clock said `boottime_ns`.
    """

    started_at: datetime
    db_time: datetime
    boottime_ns: int

    def sample_at(self, boottime_ns: int) -> int:
        """The position of an instant of the boot-time clock."""
        elapsed_ns = (self.db_time - self.started_at) // _MICROSECOND * 1000 + boottime_ns - self.boottime_ns
        return elapsed_ns * SAMPLE_RATE // _SECOND_NS

    def sample_of(self, stamp: datetime) -> int:
        """The position of an instant of PostgreSQL's clock."""
        return (stamp - self.started_at) // _MICROSECOND * SAMPLE_RATE // 1_000_000

    def boottime_of(self, sample: int) -> int:
        """When the boot-time clock reaches a position, in nanoseconds."""
        started_ns = self.boottime_ns - (self.db_time - self.started_at) // _MICROSECOND * 1000
        return started_ns - (-sample * _SECOND_NS // SAMPLE_RATE)

    def time_of(self, boottime_ns: int) -> datetime:
        """PostgreSQL's time at an instant of the boot-time clock."""
        return self.db_time + timedelta(microseconds=(boottime_ns - self.boottime_ns) // 1000)
