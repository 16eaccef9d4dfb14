"""Which recorder processes died together."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from worker.host.deaths import TOGETHER_SECONDS, Deaths


def _owner(number: int) -> UUID:
    return UUID(int=number)


def test_a_death_on_its_own_is_not_together_with_itself() -> None:
    """Nor with one long before."""
    deaths = Deaths()
    assert deaths.note(_owner(1), 10.0) == frozenset()
    assert deaths.note(_owner(2), 10.0 + TOGETHER_SECONDS + 0.01) == frozenset()


def test_each_of_several_is_named_once_the_second_dies() -> None:
    """Also when the last one is together with the second only."""
    deaths = Deaths()
    deaths.note(_owner(1), 10.0)
    assert deaths.note(_owner(2), 10.8) == {_owner(1), _owner(2)}
    assert deaths.note(_owner(3), 11.6) == {_owner(2), _owner(3)}


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=12))
def test_whoever_has_another_death_near_died_together(pauses: list[float]) -> None:
    """And nobody else, however often old ones are forgotten."""
    deaths, at = Deaths(), 0.0
    instants: list[float] = []
    together: set[UUID] = set()
    for number, pause in enumerate(pauses):
        at += pause
        instants.append(at)
        deaths.forget(at)
        together |= deaths.note(_owner(number), at)

    near = {
        _owner(number)
        for number, died in enumerate(instants)
        if any(other != number and abs(died - second) <= TOGETHER_SECONDS for other, second in enumerate(instants))
    }
    assert together == near
