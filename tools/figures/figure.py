"""What is measured: values of one kind, their goal, and how much of it a run is asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.measuring.spread import percentile

At = Literal["p95", "p99", "max"]
_PERCENT: dict[At, float] = {"p95": 95, "p99": 99, "max": 100}


@dataclass(frozen=True, slots=True)
class Goal:
    """Values are to be at most so large, at this percentile of them."""

    at: At
    most: float

    def met_by(self, values: Sequence[float]) -> bool:
        """No value meets no goal."""
        return percentile(values, _PERCENT[self.at]) <= self.most


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        values: in `unit`, one of each time that it was measured.
    """

    name: str
    unit: str
    goal: Goal
    values: tuple[float, ...]

    @property
    def met(self) -> bool:
        """Whether the goal is."""
        return self.goal.met_by(self.values)

    def at(self, percent: float) -> float:
        """The smallest value that so many percent don't exceed; nan of none."""
        return percentile(self.values, percent)


@dataclass(frozen=True, slots=True)
class Options:
    """What an experiment is asked to do.

    Attributes:
        n: at least so many values of its own figure; None: as many as a quick run takes.
        seed: of the instants at which something is hurt.
        folder: of its own, with a short path; removed afterwards.
    """

    n: int | None
    seed: int
    folder: Path


def pooled(figures: Iterable[Figure]) -> list[Figure]:
    """One figure per name, with the values of all, in the order in which the names came."""
    found: dict[str, Figure] = {}
    for one in figures:
        known = found.get(one.name)
        values = one.values if known is None else known.values + one.values
        found[one.name] = Figure(one.name, one.unit, one.goal, values)
    return list(found.values())
