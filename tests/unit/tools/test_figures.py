"""Figures: what their goals say of values, how they are put together and shown."""

import math
from pathlib import Path

import pytest

from tests.support.talkers.slots import Sent, Truth
from tools.figures.__main__ import EXPERIMENTS, _measure
from tools.figures.experiments.drift import line_drift_ms
from tools.figures.figure import Figure, Goal, pooled
from tools.figures.process_growth import Growth, least_slope
from tools.figures.session_figures import lost_seconds
from tools.figures.table import table
from tools.markdown_table import number

HUNDRED = tuple(float(value) for value in range(100, 0, -1))
MAKEFILE = Path(__file__).resolve().parents[3] / "Makefile"


@pytest.mark.parametrize(
    ("goal", "values", "met"),
    [
        (Goal("p99", 99), HUNDRED, True),
        (Goal("p99", 98.9), HUNDRED, False),
        (Goal("p95", 95), HUNDRED, True),
        (Goal("max", 99), HUNDRED, False),
        (Goal("max", 100), HUNDRED, True),
        (Goal("max", 0), (0.0, 0.0), True),
        (Goal("max", 0), (), False),
        (Goal("p99", 1), (0.2, math.inf), False),
    ],
)
def test_a_goal_is_met_at_its_percentile(goal: Goal, values: tuple[float, ...], met: bool) -> None:
    """And never by nothing."""
    assert Figure("lost", "s", goal, values).met is met


def test_figures_of_one_name_are_one() -> None:
    """In the order in which their names came."""
    goal = Goal("max", 1)
    one, other, again = Figure("a", "s", goal, (1.0,)), Figure("b", "s", goal, (2.0,)), Figure("a", "s", goal, (3.0,))
    assert pooled([one, other, again]) == [Figure("a", "s", goal, (1.0, 3.0)), other]


def test_the_table_says_what_was_missed() -> None:
    """Columns of one width; percentiles are measured values."""
    lost = Figure("speech lost", "s", Goal("p99", 1.0), HUNDRED)
    accepted = Figure("writes accepted", "", Goal("max", 0), (0.0, 0.0))
    header, rule, first, second = table([lost, accepted]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (header, first, second)]
    assert cells == [
        ["figure", "goal", "N", "p50", "p95", "p99", "maximum", "met"],
        ["speech lost", "p99 ≤ 1 s", "100", "50", "95", "99", "100", "**no**"],
        ["writes accepted", "max ≤ 0", "2", "0", "0", "0", "0", "yes"],
    ]
    assert len({len(line) for line in (header, rule, first, second)}) == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.30000000000000004, "0.3"),
        (12.3456, "12.3"),
        (1234.5, "1234"),
        (0.04567, "0.046"),
        (math.nan, "–"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    """Three digits."""
    assert number(value) == shown


def test_speech_that_was_lost_is_blamed_on_the_fault_before_it() -> None:
    """From 1.5 s before it, which were not written yet, to 1.5 s before the next one of that session."""
    sent = [Sent(number, 1000 + number / 10) for number in range(200)]
    truth = Truth(heard=180, missing=[10, *range(45, 52), *range(100, 104)], delay=0.0, undeclared=[], false=[], off=[])
    assert lost_seconds(sent, truth, [1005.0, 1010.0]) == [0.7, 0.4]
    assert lost_seconds(sent, truth, []) == []


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_figure_can_be_measured(name: str) -> None:
    """By a function of its own, which `make figures` reaches."""
    assert callable(_measure(name))
    assert "-m tools.figures" in MAKEFILE.read_text()


@pytest.mark.parametrize(
    ("values", "grows"),
    [
        ([100.0] * 40, False),
        ([100.0, 130.0] * 20, False),
        ([100.0 + step for step in range(40)], True),
        ([100.0 + step + 20 * (step % 2) for step in range(40)], True),
        ([100.0 - step for step in range(40)], False),
        ([100.0, 200.0], False),
    ],
)
def test_growth_is_what_the_values_spread_does_not_explain(values: list[float], grows: bool) -> None:
    """A level that swings is none, a line under the swing is one."""
    assert (least_slope(values) > 0) is grows


def test_each_kind_of_process_is_judged_by_itself() -> None:
    """What one has more of is not made up for by another one, which has less of it."""
    rows = [{"API: threads": 5.0 + step, "recorder: threads": 90.0 - step} for step in range(40)]
    growth = Growth(None, None, rows)  # type: ignore[arg-type] # nothing more is looked at
    [threads] = growth.figures(10, "hour")
    assert threads.values == pytest.approx((10, -10))
    assert not threads.met


@pytest.mark.parametrize(
    ("medians", "drift_ms"),
    [([50.0] * 60, 0.0), ([50.0 + minute for minute in range(61)], 60.0), ([80.0, 70.0, 60.0], 20.0), ([50.0], 0.0)],
)
def test_drift_is_what_a_straight_line_gains_over_the_session(medians: list[float], drift_ms: float) -> None:
    """In whichever direction."""
    assert line_drift_ms(medians) == pytest.approx(drift_ms)
