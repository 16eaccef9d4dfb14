"""Pairing PostgreSQL's clock, which is the session's, with this host's boot-time clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.boot_clock import boottime_ns


@dataclass(frozen=True, slots=True)
class ClockPair:
    """The same instant on both clocks.

    Attributes:
        db_time: PostgreSQL's `clock_timestamp()`, aware, UTC.
        boottime_ns: CLOCK_BOOTTIME (goes on while the host sleeps), nanoseconds.
        uncertainty_ns: half of the round trip that the pair comes from.
    """

    db_time: datetime
    boottime_ns: int
    uncertainty_ns: int

    def db_time_at(self, boottime_ns: int) -> datetime:
        """PostgreSQL's time at that instant of the boot-time clock, in whole microseconds."""
        return self.db_time + timedelta(microseconds=(boottime_ns - self.boottime_ns) // 1000)


async def pair_clocks(conn: AsyncConnection, *, round_trips: int = 5) -> ClockPair:
    """The pair with the shortest of several round trips."""
    best: ClockPair | None = None
    for _ in range(round_trips):
        before = boottime_ns()
        db_time: datetime = (await conn.execute(text("SELECT clock_timestamp()"))).scalar_one()
        after = boottime_ns()
        pair = ClockPair(db_time, (before + after) // 2, (after - before) // 2)
        if best is None or pair.uncertainty_ns < best.uncertainty_ns:
            best = pair
    assert best is not None
    return best
