"""One line of the table: what was attacked, what must hold, what held."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.markdown_table import markdown_table, number, yes_or_no

_HEADER = ("what", "target", "measured", "N", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        most: what it may be at most, in `unit`.
        n: of what it is made, with a word for them.
    """

    what: str
    most: float
    measured: float
    unit: str
    n: str

    @property
    def met(self) -> bool:
        """Whether it is what it must be; nan is not."""
        return self.measured <= self.most


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a drill does, and where.

    Attributes:
        n: how many of its own; None: as many as the published figures are of.
        seed: of what is made at random.
        folder: of its own, with a short path; removed afterwards.
        seconds: drills that count stop sending after so many, whatever `n` is.
    """

    n: int | None
    seed: int
    folder: Path
    seconds: float = math.inf

    def patience(self) -> Callable[[], bool]:
        """Whether the time from now on is over."""
        over = time.monotonic() + self.seconds
        return lambda: time.monotonic() >= over


def table(rows: Sequence[Row]) -> str:
    """A line for each row."""
    return markdown_table(_HEADER, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    target = number(row.most) if row.most == 0 else f"≤ {number(row.most)}"
    values = [f"{value} {row.unit}".rstrip() for value in (target, number(row.measured))]
    return (row.what, *values, row.n, yes_or_no(row.met))
