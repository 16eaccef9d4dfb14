"""Tables of tools, in Markdown, so that what is printed can stand in a page."""

import math
from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of a table, padded to be read as text, too; each row has as many cells as the header."""
    cells = [header, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def yes_or_no(met: bool) -> str:
    """Whether a goal is met; one that isn't stands out."""
    return "yes" if met else "**no**"


def number(value: float) -> str:
    """Three significant digits, and no more than three behind the point; a dash for what was not measured."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    digits = min(max(2 - math.floor(math.log10(abs(value))), 0), 3)
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
