"""The order of tests in a run of several processes."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.test_run.dealing import dealt


def test_each_process_begins_with_its_share_of_the_long_ones() -> None:
    """And has as many tests as the others."""
    assert dealt([1, 2, 3], [10, 11, 12, 13, 14, 15, 16], 2) == [1, 3, 10, 11, 12, 2, 13, 14, 15, 16]


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 8))
def test_no_test_is_lost_or_run_twice(long: int, others: int, processes: int) -> None:
    """However few there are."""
    order = dealt(range(long), range(100, 100 + others), processes)
    assert sorted(order) == [*range(long), *range(100, 100 + others)]
