"""How often processes look thoroughly: the fleet's part of it is constant, each process's follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.runs.look import THOROUGH_LOOKS, Look, decide_look


def odds(active: int, slots: int) -> float:
    """The probability of a thorough look: the draw from which on it is a quick one."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if decide_look(active, slots, middle) is Look.THOROUGH:
            low = middle
        else:
            high = middle
    return high


@given(processes=st.integers(1, 20_000), slots=st.integers(1, 200))
def test_a_full_fleet_looks_as_often_however_large_it_is(processes: int, slots: int) -> None:
    """Ten looks per interval are expected of all its processes together, of fewer processes one each."""
    expected = processes * odds(active=processes * slots, slots=slots)
    assert expected == pytest.approx(min(processes, THOROUGH_LOOKS))


@given(processes=st.integers(1, 20_000), slots=st.integers(1, 200), data=st.data())
def test_a_fleet_with_spare_slots_looks_more_often_in_proportion(
    processes: int, slots: int, data: st.DataObject
) -> None:
    """Half full: twice as often, where it has the processes for that."""
    active = data.draw(st.integers(1, processes * slots), label="active")
    expected = processes * odds(active, slots)
    assert expected == pytest.approx(min(processes, THOROUGH_LOOKS * processes * slots / active))


@given(active=st.integers(0, 10**6), slots=st.integers(1, 200), draws=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_smaller_draw_never_looks_less_thoroughly(active: int, slots: int, draws: tuple[float, float]) -> None:
    """The draw decides by one threshold."""
    small, large = (decide_look(active, slots, draw) is Look.THOROUGH for draw in sorted(draws))
    assert small or not large


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999999])
def test_who_knows_nothing_yet_looks_thoroughly(draw: float) -> None:
    """The first look of a process tells it how many sessions are active."""
    assert decide_look(0, 1, draw) is Look.THOROUGH
