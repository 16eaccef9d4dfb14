"""The table of figures."""

from collections.abc import Sequence

from tools.figures.figure import Figure
from tools.markdown_table import markdown_table, number, yes_or_no

_HEADER = ("figure", "goal", "N", "p50", "p95", "p99", "maximum", "met")


def table(figures: Sequence[Figure]) -> str:
    """A line for each figure."""
    return markdown_table(_HEADER, [_row(figure) for figure in figures])


def _row(figure: Figure) -> tuple[str, ...]:
    goal = f"{figure.goal.at} ≤ {number(figure.goal.most)} {figure.unit}".rstrip()
    values = [number(figure.at(percent)) for percent in (50, 95, 99, 100)]
    return (figure.name, goal, str(len(figure.values)), *values, yes_or_no(figure.met))
