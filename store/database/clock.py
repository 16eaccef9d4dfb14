"""Pairing PostgreSQL's clock, which is the session's, with this host's boot-time clock."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseError
from store.database.boot_clock import SECOND_NS, boottime_ns

_GOOD_FOR_NS = 60 * SECOND_NS


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


class DatabaseClock:
    """What time it is at the database, for who needs it often, and while the database is away, too.

    Args:
        pair: asks the database (`Database.clock`); that is done once a minute at most.
    """

    def __init__(self, pair: Callable[[], Awaitable[ClockPair]]) -> None:
        self._ask = pair
        self._asked_ns = 0
        self._pair: ClockPair | None = None

    async def now(self) -> datetime:
        """The database's time, aware, UTC.

        Raises:
            DatabaseError: it could not be asked, and has never answered before.
        """
        if self._pair is None or boottime_ns() - self._asked_ns > _GOOD_FOR_NS:
            self._asked_ns = boottime_ns()
            try:
                self._pair = await self._ask()
            except DatabaseError:
                if self._pair is None:
                    raise
        return self._pair.db_time_at(boottime_ns())
