"""Whether the rows that bill tile the session's counter from 0, without a hole or an overlap, and in their order."""

from sessions.billing.checking.billed_range import BilledRange
from sessions.billing.checking.sentences import Sentences, seconds


class Tiling:
    """Reads the rows that bill, oldest first.

    Attributes:
        rows: how many.
        last: the last one so far.
        reached_ms: the furthest end.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.last: BilledRange | None = None
        self.reached_ms = 0
        self._edges, self._backwards = Sentences(), Sentences()

    def read(self, row: BilledRange) -> None:
        """The next row that bills."""
        self.rows += 1
        if self.last is not None:
            self._check_edge(self.rows - 1, self.last, row)
        elif row.from_ms != 0:
            self._edges.add(
                f"the first row begins at {seconds(row.from_ms)} instead of 0: the time before it has no row"
            )
        if row.to_ms < row.from_ms:
            self._backwards.add(
                f"row {self.rows} ends at {seconds(row.to_ms)}, before it begins at {seconds(row.from_ms)}"
            )
        self.reached_ms = max(self.reached_ms, row.to_ms)
        self.last = row

    def imbalances(self) -> list[str]:
        """What is wrong with their edges."""
        return [*self._edges.all(), *self._backwards.all()]

    def _check_edge(self, number: int, row: BilledRange, following: BilledRange) -> None:
        edge = f"row {number} ends at {seconds(row.to_ms)}, row {number + 1} begins at {seconds(following.from_ms)}"
        if following.from_ms > row.to_ms:
            self._edges.add(f"{edge}: the time between them has no row")
        elif following.from_ms < row.to_ms:
            self._edges.add(f"{edge}: the time between them is billed twice")
        if following.epoch < row.epoch:
            self._edges.add(f"row {number + 1} is of an earlier run than row {number}")
        if following.recorded_at < row.recorded_at:
            self._edges.add(f"row {number} was recorded after row {number + 1}: late")
