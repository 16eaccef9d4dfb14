"""Whether exactly the last row of a settled session is final."""

from sessions.billing.checking.billed_range import BilledRange
from sessions.billing.checking.sentences import Sentences


class Finals:
    """Reads the rows that bill, oldest first."""

    def __init__(self) -> None:
        self._rows = self._final_rows = 0
        self._last_is_final = False
        self._followed = Sentences()

    def read(self, row: BilledRange) -> None:
        """The next row that bills."""
        if self._last_is_final:
            self._followed.add(f"row {self._rows} is final, but rows follow it")
        self._rows += 1
        self._last_is_final = row.kind == "final"
        self._final_rows += self._last_is_final

    def imbalances(self, *, settled: bool) -> list[str]:
        """What is wrong, `settled` telling whether the session is over."""
        found = self._followed.all()
        if self._final_rows > 1:
            found.append(f"{self._final_rows} rows are final instead of one")
        if settled and not self._final_rows:
            found.append("the session is over, but no row is final")
        if not settled and self._final_rows:
            found.append("a row is final, but the session is not over")
        return found
