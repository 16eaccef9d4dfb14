"""A claimer as its claim goes on."""

from uuid import uuid4

from store.runs.claimer import Claimer


def test_sessions_that_it_has_take_its_slots() -> None:
    """It wants fewer, and knows them besides those that it had."""
    first, second = uuid4(), uuid4()
    empty = Claimer(uuid4(), "host", 3, (), may_judge_stale=True, stalled_seconds=15)
    assert empty.with_sessions([]) == empty

    claimer = empty.with_sessions([first]).with_sessions([second])

    assert (claimer.free, claimer.known) == (1, (first, second))
    assert (claimer.owner, claimer.may_judge_stale) == (empty.owner, True)
