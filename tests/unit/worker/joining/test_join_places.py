"""How many sessions may be on their way into their rooms: below the places, and half of them for one organization."""

from uuid import UUID, uuid4

import pytest

from store.runs.fence import Fence
from worker.joining.join_places import Arrivals, JoinPlaces
from worker.lease.live_run import LiveRun

ONE, OTHER = UUID(int=1), UUID(int=2)


def live_run() -> LiveRun:
    """A run that was just claimed."""
    return LiveRun(Fence(uuid4(), 1, uuid4()), claimed_ns=0, stalled_seconds=15)


@pytest.mark.parametrize(
    ("places", "of_all", "of_one"), [(1, 1, 1), (2, 2, 1), (4, 4, 2), (5, 4, 3), (25, 20, 13), (100, 80, 50)]
)
def test_one_organization_has_half_of_the_places_and_joins_do_not_have_all(
    places: int, of_all: int, of_one: int
) -> None:
    """A process with few places still joins."""
    assert (JoinPlaces(places).all, JoinPlaces(places).of_one) == (of_all, of_one)


def test_who_has_arrived_or_is_over_is_on_the_way_no_more() -> None:
    """A room that is lost later is not joined at the expense of those who come."""
    arrivals, runs = Arrivals(), [live_run() for _ in range(4)]
    for run in runs[:3]:
        arrivals.add(ONE, run)
    arrivals.add(OTHER, runs[3])
    assert arrivals.by_organization() == {ONE: 3, OTHER: 1}
    runs[0].seat()
    arrivals.remove(runs[1].fence.session_id)
    arrivals.remove(runs[1].fence.session_id)
    assert arrivals.by_organization() == {ONE: 1, OTHER: 1}
    runs[0].lose()
    assert arrivals.by_organization() == {ONE: 1, OTHER: 1}
