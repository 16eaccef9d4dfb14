"""Usage arithmetic: integers and decimals, never more than was proven."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sessions.billing.usage import MULTIPLIERS, Usage, credits
from tests.support.rules.proven_time import proven_ms

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
times = st.integers(-60_000_000, 60_000_000).map(lambda us: NOW + timedelta(microseconds=us))


def proven(max_duration_seconds: int = 3600, **stamps: datetime | None) -> int:
    """One beat at NOW, 5 s after the one before."""
    values: dict[str, datetime | None] = {
        "now": NOW,
        "previous_beat": NOW - timedelta(seconds=5),
        "running_since": NOW - timedelta(minutes=5),
        "paused_at": None,
        "ending_at": None,
        "started_at": NOW - timedelta(minutes=6),
        **stamps,
    }
    return proven_ms(**values, max_duration_seconds=max_duration_seconds, stalled_seconds=15)  # type: ignore[arg-type]


def test_a_beat_proves_the_time_since_the_one_before() -> None:
    """5 s, in milliseconds."""
    assert proven() == 5000


def test_stamps_cut_what_lies_after_them() -> None:
    """Paused, ended, resumed: only the running part counts."""
    assert proven(paused_at=NOW - timedelta(seconds=2)) == 3000
    assert proven(ending_at=NOW - timedelta(seconds=4)) == 1000
    assert proven(paused_at=NOW - timedelta(seconds=2), ending_at=NOW - timedelta(seconds=3)) == 2000
    assert proven(running_since=NOW - timedelta(seconds=1)) == 1000
    assert proven(ending_at=NOW - timedelta(seconds=9)) == 0


def test_the_longest_duration_cuts_what_lies_after_it() -> None:
    """Counted from sample 0, whenever somebody ends the session for it."""
    assert proven(358) == 3000
    assert proven(354) == 0
    assert proven(1, started_at=None) == 5000


def test_more_than_a_stall_is_never_proven() -> None:
    """A beat after a long silence proves 15 s at most."""
    assert proven(previous_beat=NOW - timedelta(hours=1), running_since=None) == 15_000


def test_a_part_of_a_millisecond_is_not_billed() -> None:
    """Floor, not rounding."""
    assert proven(previous_beat=NOW - timedelta(microseconds=1999), running_since=None) == 1


@given(previous=times, since=st.none() | times, paused=st.none() | times, ending=st.none() | times)
def test_proven_time_lies_between_nothing_and_a_stall(
    previous: datetime, since: datetime | None, paused: datetime | None, ending: datetime | None
) -> None:
    """Whatever the stamps say, and never more than since the previous beat."""
    milliseconds = proven(previous_beat=previous, running_since=since, paused_at=paused, ending_at=ending)

    assert 0 <= milliseconds <= 15_000
    assert milliseconds <= max(0, (NOW - previous) // timedelta(milliseconds=1))


@given(st.integers(0, 10**12))
def test_credits_are_exact(milliseconds: int) -> None:
    """A millisecond at the standard multiplier is a thousandth of a credit."""
    assert credits(milliseconds, MULTIPLIERS["standard"]) == Decimal(milliseconds).scaleb(-3)
    assert str(credits(milliseconds, MULTIPLIERS["mock"])) == f"{milliseconds // 1000}.{milliseconds % 1000:03}"


@given(st.integers(0, 10**9))
def test_half_a_thousandth_of_a_credit_is_rounded_up(milliseconds: int) -> None:
    """As the ledger rounds: never to the even neighbor."""
    assert credits(2 * milliseconds + 1, Decimal("0.500")) == Decimal(milliseconds + 1).scaleb(-3)


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_billable_seconds_are_the_floor(milliseconds: int, more: int) -> None:
    """They grow when the milliseconds do."""
    assert Usage(milliseconds, 0, 0, None).billable_seconds == milliseconds // 1000
    assert Usage(milliseconds + more, 0, 0, None).billable_seconds >= milliseconds // 1000
