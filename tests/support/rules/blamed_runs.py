"""Which of its lost runs a session is blamed for: the rule that the database's statement is held against."""

from collections.abc import Sequence
from dataclasses import dataclass

from sessions.lifecycle.blame import HEALTHY_MS, PARDONS


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run of a session that is over.

    Attributes:
        lost: its process died; else it was handed over.
        pardoned: other recorder processes died together with it.
        alone: nothing else ran in its process.
        proven_ms: for how long beats proved it.
    """

    lost: bool
    pardoned: bool = False
    alone: bool = False
    proven_ms: int = 0


def blame(runs: Sequence[PastRun]) -> tuple[int, int]:
    """How many of a session's runs, oldest first, it is blamed for, and how many of those alone."""
    healthy = [index for index, run in enumerate(runs) if run.proven_ms >= HEALTHY_MS]
    row = [run for run in runs[healthy[-1] + 1 if healthy else 0 :] if run.lost]
    return _count(row), _count([run for run in row if run.alone])


def _count(lost: Sequence[PastRun]) -> int:
    pardoned = sum(run.pardoned for run in lost)
    return len(lost) - min(pardoned, PARDONS)
