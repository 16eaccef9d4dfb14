"""Positions on a session's clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from store.database.clock import ClockPair
from worker.clock.session_clock import SessionClock

STARTED = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CLOCK = SessionClock(STARTED, ClockPair(STARTED - timedelta(milliseconds=250), 5_000_000_000, 0))


def test_sample_zero_is_started_at() -> None:
    """The pair was taken 250 ms before the start."""
    assert CLOCK.sample_at(5_250_000_000) == 0


def test_before_the_start_positions_are_negative() -> None:
    """Frames of that time fall away."""
    assert CLOCK.sample_at(5_000_000_000) == -12_000


def test_a_stamp_and_the_instant_of_that_stamp_have_one_position() -> None:
    """The database's clock and the boot-time clock are one."""
    assert CLOCK.sample_of(STARTED + timedelta(seconds=7)) == CLOCK.sample_at(12_250_000_000) == 336_000


def test_a_successor_s_clock_agrees_with_the_first_one() -> None:
    """Another host, another boot, the same session."""
    other = SessionClock(STARTED, ClockPair(STARTED + timedelta(seconds=60), 77, 0))
    assert other.sample_at(77 + 1_000_000_000) == CLOCK.sample_of(STARTED + timedelta(seconds=61))


@given(st.integers(-(10**6), 48_000 * 86_400))
def test_an_instant_is_found_from_its_position(sample: int) -> None:
    """To one sample."""
    assert abs(CLOCK.sample_at(CLOCK.boottime_of(sample)) - sample) <= 1


def test_times_of_instants_are_the_database_s() -> None:
    """No wall clock is read."""
    assert CLOCK.time_of(5_250_000_000) == STARTED
