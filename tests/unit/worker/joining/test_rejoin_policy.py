"""How often and how long a room is tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.joining.rejoin_policy import RejoinPolicy, may_attempt

SECOND = 1_000_000_000


def test_the_budget_counts_from_where_it_began() -> None:
    """120 s from the last joined beat, not from the drop."""
    policy = RejoinPolicy.lasting(10 * SECOND, 120)
    assert (policy.seconds_left(20 * SECOND), policy.seconds_left(131 * SECOND)) == (110.0, 0.0)


def test_the_first_attempt_is_made_at_once() -> None:
    """A server that was restarted is back in no time."""
    assert RejoinPolicy(0).pause_seconds(0, jitter=1.0) == 0


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_pauses_grow_to_five_seconds_and_no_further(attempt: int, jitter: float) -> None:
    """Doubling, and at least half of the pause whatever the jitter."""
    pause = RejoinPolicy(0).pause_seconds(attempt, jitter=jitter)
    longest = min(0.25 * 2.0 ** min(attempt - 1, 20), 5.0)
    assert longest / 2 <= pause <= longest


@pytest.mark.parametrize(
    ("dropped_ns", "proven_ns", "allowed"),
    [(None, 0, True), (100, 99, False), (100, 100, False), (100, 101, True)],
)
def test_a_rejoin_needs_a_beat_that_was_sent_after_the_drop(
    dropped_ns: int | None, proven_ns: int, allowed: bool
) -> None:
    """Else a zombie would evict its successor."""
    assert may_attempt(dropped_ns=dropped_ns, proven_ns=proven_ns) is allowed
