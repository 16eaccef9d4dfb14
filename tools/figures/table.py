"""The table of figures, in Markdown, so that what is printed can stand in a page."""

import math
from collections.abc import Sequence

from tools.figures.figure import Figure

_HEADER = ("figure", "goal", "N", "p50", "p95", "p99", "maximum", "met")


def table(figures: Sequence[Figure]) -> str:
    """Lines of a Markdown table, padded to be read as text, too."""
    rows = [_HEADER, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    goal = f"{figure.goal.at} ≤ {number(figure.goal.most)} {figure.unit}".rstrip()
    values = [number(figure.at(percent)) for percent in (50, 95, 99, 100)]
    return (figure.name, goal, str(len(figure.values)), *values, "yes" if figure.met else "**no**")


def number(value: float) -> str:
    """Three significant digits, and no more than three behind the point; a dash for what was not measured."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    digits = min(max(2 - math.floor(math.log10(abs(value))), 0), 3)
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
