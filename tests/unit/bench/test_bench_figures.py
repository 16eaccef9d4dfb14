"""Medians, percentiles and goal lines."""

import math

import pytest

from bench.measuring.spread import median, median_ratio, percentile
from bench.measuring.table import print_goal, print_table


def test_percentiles_are_values_that_were_measured() -> None:
    """Nearest rank: p95 of twenty values is the nineteenth, p50 of four the second."""
    assert percentile([float(value) for value in range(20, 0, -1)], 95) == 19
    assert percentile([4.0, 1.0, 3.0, 2.0], 50) == 2
    assert percentile([7.0], 95) == 7


def test_nothing_measured_is_no_figure() -> None:
    """No values give nan, which meets no goal."""
    assert math.isnan(median([]))
    assert math.isnan(percentile([], 95))


def test_ratios_are_of_pairs() -> None:
    """The median of the pairs' ratios, not the ratio of the medians."""
    assert median_ratio([2.0, 9.0, 40.0], [1.0, 3.0, 10.0]) == 3


@pytest.mark.parametrize(
    ("value", "goal", "verdict"),
    [
        (1.25, {"at_most": 1.25}, "met"),
        (1.26, {"at_most": 1.25}, "NOT MET"),
        (3.0, {"at_least": 3.0}, "met"),
        (2.99, {"at_least": 3.0}, "NOT MET"),
        (math.nan, {"at_most": 1.25}, "NOT MET"),
        (math.nan, {"at_least": 3.0}, "NOT MET"),
    ],
)
def test_goals_are_judged_honestly(
    value: float, goal: dict[str, float], verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bound itself is met, and what is not a number never is."""
    print_goal("ratio", value, **goal)
    assert capsys.readouterr().out.split("  ratio")[0].strip() == verdict


def test_tables_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """The first column to the left, the others to the right."""
    print_table(("name", "ms"), [("a", "1.0"), ("longer", "12.0")])
    assert capsys.readouterr().out.splitlines() == [
        "   name      ms",
        "   ------  ----",
        "   a        1.0",
        "   longer  12.0",
    ]
