"""The database's time without asking it each time."""

from datetime import UTC, datetime, timedelta

import pytest

from sessions.errors import DatabaseUnavailableError
from store.database import clock
from store.database.boot_clock import boottime_ns
from store.database.clock import ClockPair, DatabaseClock

AN_HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Server:
    """A database whose clock stands at `time` whenever it is asked; None: it is away."""

    def __init__(self) -> None:
        self.time: datetime | None = NOW
        self.asked = 0

    async def pair(self) -> ClockPair:
        """As `Database.clock`."""
        self.asked += 1
        if self.time is None:
            raise DatabaseUnavailableError
        return ClockPair(self.time, boottime_ns(), 0)


async def test_it_asks_once_a_minute() -> None:
    """In between this host counts on."""
    server = Server()
    times = DatabaseClock(server.pair)

    first, second = await times.now(), await times.now()

    assert NOW <= first <= second < NOW + AN_HOUR
    assert server.asked == 1


async def test_another_time_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that took another one's place has a clock of its own."""
    monkeypatch.setattr(clock, "_GOOD_FOR_NS", 0)
    server = Server()
    times = DatabaseClock(server.pair)
    await times.now()
    server.time = NOW + AN_HOUR

    assert await times.now() >= NOW + AN_HOUR


async def test_it_goes_on_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who never heard of it knows no time."""
    monkeypatch.setattr(clock, "_GOOD_FOR_NS", 0)
    server = Server()
    times = DatabaseClock(server.pair)
    await times.now()
    server.time = None

    assert NOW <= await times.now() < NOW + AN_HOUR
    with pytest.raises(DatabaseUnavailableError):
        await DatabaseClock(server.pair).now()
