"""What the process of webhooks tells its supervisor for /metrics: attempts by outcome, and how long they took."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from worker.vitals.figure_file import FigureFile

BOUNDS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
"""Upper bounds of the histogram's buckets; one more holds the rest."""

Outcome = Literal["succeeded", "retrying", "failed"]
"""Of an attempt: it was the last one unless it is to be tried again (`retrying`)."""


class WebhookFigures:
    """Counts since the process started."""

    def __init__(self) -> None:
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.seconds = 0.0
        self._buckets = [0] * (len(BOUNDS_SECONDS) + 1)

    @classmethod
    def read(cls, data_dir: Path) -> "WebhookFigures":
        """What the process wrote last; nothing, if it has written nothing yet."""
        figures, written = cls(), _file(data_dir).read()
        try:
            attempts = {(str(outcome), str(error)): int(count) for outcome, error, count in written["attempts"]}
            buckets, seconds = [int(count) for count in written["buckets"]], float(written["seconds"])
        except (KeyError, TypeError, ValueError):
            return figures
        if len(buckets) == len(figures._buckets):
            figures.attempts, figures._buckets, figures.seconds = Counter(attempts), buckets, seconds
        return figures

    async def keep_writing(self, data_dir: Path) -> None:
        """Write every second until canceled."""
        await _file(data_dir).keep_writing(self.to_json)

    def count(self, outcome: Outcome, error: str | None, seconds: float) -> None:
        """An attempt; `error` is the class of its failure."""
        self.attempts[outcome, error or ""] += 1
        self.seconds += seconds
        self._buckets[bisect_left(BOUNDS_SECONDS, seconds)] += 1

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Of the histogram, as Prometheus has them: bound and how many took no longer."""
        total = 0
        for bound, count in zip((*map(str, BOUNDS_SECONDS), "+Inf"), self._buckets, strict=True):
            total += count
            yield bound, total

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        attempts = [[outcome, error, count] for (outcome, error), count in self.attempts.items()]
        return {"attempts": attempts, "buckets": self._buckets, "seconds": self.seconds}


def _file(data_dir: Path) -> FigureFile:
    return FigureFile(data_dir, "webhooks")
