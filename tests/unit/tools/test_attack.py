"""The table of `make attack`: what was not measured is not met, and every drill is there."""

import importlib.util
import math

import pytest

from tools.attack.__main__ import DRILLS
from tools.attack.row import Row, table


@pytest.mark.parametrize(("measured", "met"), [(0, True), (1.2, True), (1.21, False), (math.nan, False)])
def test_a_figure_is_met_up_to_its_target(measured: float, met: bool) -> None:
    """What could not be measured is a failure."""
    assert Row("waiting", 1.2, measured, "s", "10").met is met


def test_the_table_shows_target_and_measure() -> None:
    """In Markdown, with what is missed in bold."""
    rows = [Row("leaks", 0, 0, "", "20,000 requests"), Row("p99", 1.2, 3.456, "× alone", "400 requests")]
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in table(rows).splitlines()[2:]] == [
        ["leaks", "0", "0", "20,000 requests", "yes"],
        ["p99", "≤ 1.2 × alone", "3.46 × alone", "400 requests", "**no**"],
    ]


@pytest.mark.parametrize("name", DRILLS)
def test_each_drill_is_a_module(name: str) -> None:
    """Without loading it: some load LiveKit."""
    assert importlib.util.find_spec(f"tools.attack.drills.{name.replace('-', '_')}") is not None
