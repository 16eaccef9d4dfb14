"""The deadline that every proven beat moves on."""

from worker.lease.self_fence import SelfFence

SECOND = 1_000_000_000


def test_the_fence_closes_at_four_fifths_of_stalled_seconds() -> None:
    """15 s make 12 s."""
    fence = SelfFence(15, 100 * SECOND)
    assert (fence.expired(112 * SECOND - 1), fence.expired(112 * SECOND)) == (False, True)


def test_a_beat_proves_the_instant_it_was_sent() -> None:
    """Not the instant its answer came."""
    fence = SelfFence(15, 100 * SECOND)
    fence.prove(105 * SECOND)
    assert fence.deadline_ns == 117 * SECOND


def test_a_late_answer_moves_nothing_back() -> None:
    """Two answers in the wrong order."""
    fence = SelfFence(15, 100 * SECOND)
    fence.prove(110 * SECOND)
    fence.prove(105 * SECOND)
    assert fence.proven_ns == 110 * SECOND


def test_a_beat_opens_a_closed_fence_again() -> None:
    """The database was away; nobody took over."""
    fence = SelfFence(3, 0)
    assert fence.expired(20 * SECOND)
    fence.prove(20 * SECOND)
    assert not fence.expired(20 * SECOND)
