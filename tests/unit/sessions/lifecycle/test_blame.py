"""Which session a crash is blamed on, and what that costs the others."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.lifecycle.blame import PARDONS, Place, place, quarantine_sizes
from tests.support.rules.blamed_runs import PastRun, blame

LOST, ALONE, PARDONED = PastRun(lost=True), PastRun(lost=True, alone=True), PastRun(lost=True, pardoned=True)
HANDED_OVER, HEALTHY = PastRun(lost=False), PastRun(lost=True, proven_ms=60_000)
RUNS = st.sampled_from([LOST, ALONE, PARDONED, HANDED_OVER, HEALTHY, PastRun(lost=True, proven_ms=59_999)])


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], Place.ANYWHERE),
        ([LOST], Place.ANYWHERE),
        ([LOST] * 2, Place.QUARANTINE),
        ([LOST] * 3, Place.ALONE),
        ([LOST, LOST, ALONE, ALONE], Place.ALONE),
        ([LOST, LOST, ALONE, ALONE, ALONE], Place.NOWHERE),
        ([LOST] * 9, Place.ALONE),
        ([LOST, LOST, HEALTHY], Place.ANYWHERE),
        ([LOST, LOST, HEALTHY, LOST], Place.ANYWHERE),
        ([ALONE, ALONE, ALONE, HEALTHY], Place.ANYWHERE),
        ([LOST, HANDED_OVER, LOST], Place.QUARANTINE),
        ([HANDED_OVER] * 9, Place.ANYWHERE),
        ([PARDONED] * PARDONS, Place.ANYWHERE),
        ([PARDONED] * (PARDONS + 2), Place.QUARANTINE),
        ([PARDONED, LOST, PARDONED, LOST], Place.QUARANTINE),
    ],
)
def test_where_a_session_may_run(runs: Sequence[PastRun], expected: Place) -> None:
    """By what became of its runs."""
    assert place(*blame(runs)) is expected


@given(st.lists(RUNS, max_size=12))
def test_a_healthy_run_makes_innocent(runs: list[PastRun]) -> None:
    """Whatever was before."""
    assert blame([*runs, HEALTHY]) == (0, 0)


@given(st.lists(RUNS, max_size=12))
def test_nobody_is_given_up_who_was_not_alone_three_times(runs: list[PastRun]) -> None:
    """Neighbors of a killer, however often they were lost with it."""
    if place(*blame(runs)) is Place.NOWHERE:
        assert sum(run.alone and run.lost for run in runs) >= 3


@given(suspects=st.integers(0, 60), alone=st.integers(0, 10), free=st.integers(-5, 10))
def test_every_suspect_has_a_process_at_once(suspects: int, alone: int, free: int) -> None:
    """And there are no more processes than places, but one for each that must be alone."""
    sizes = quarantine_sizes(suspects, alone, free)

    assert sum(sizes) == suspects + alone
    assert all(sizes)
    assert sizes[:alone] == [1] * alone
    assert len(sizes) <= alone + max(1, free)


@given(healthy=st.integers(0, 40), free=st.integers(1, 8), killer=st.integers(0, 40))
def test_a_killer_takes_no_neighbor_down_more_than_three_times(healthy: int, free: int, killer: int) -> None:
    """It kills every process that it runs in, until it may run nowhere."""
    killer = min(killer, healthy)
    past: list[list[PastRun]] = [[] for _ in range(healthy + 1)]
    for _ in range(6):
        places = [place(*blame(runs)) for runs in past]
        if places[killer] is Place.NOWHERE:
            break
        for company in _companies(places, free):
            if killer in company:
                quarantined = places[killer] is not Place.ANYWHERE
                for member in company:
                    past[member].append(PastRun(lost=True, alone=quarantined and len(company) == 1))

    assert place(*blame(past[killer])) is Place.NOWHERE
    assert all(len(runs) <= 3 for number, runs in enumerate(past) if number != killer)
    if healthy < free:
        assert all(len(runs) <= 2 for number, runs in enumerate(past) if number != killer)


def _companies(places: Sequence[Place], free: int) -> list[list[int]]:
    """Who runs together: everybody who may run anywhere; suspects by the sizes of their processes."""
    suspects = [number for number, where in enumerate(places) if where is Place.QUARANTINE]
    alone = [number for number, where in enumerate(places) if where is Place.ALONE]
    companies = [[number for number, where in enumerate(places) if where is Place.ANYWHERE]]
    companies += [[number] for number in alone]
    for size in quarantine_sizes(len(suspects), 0, free):
        companies.append(suspects[:size])
        del suspects[:size]
    return companies
