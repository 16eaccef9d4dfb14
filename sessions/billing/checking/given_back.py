"""Whether what is given back is what the recording lacks through no fault of the customer, and no more than was billed.

The rows are read one by one; of those that nothing explains, only as many are kept as are told.
"""

from collections import Counter as Count
from collections.abc import Iterable, Sequence

from sessions.billing.checking.billed_range import BilledRange
from sessions.billing.checking.sentences import MOST_SENTENCES, Sentences, seconds
from sessions.billing.crediting import Credit
from sessions.billing.usage import row_milliseconds


class GivenBack:
    """Reads the rows that give back.

    Attributes:
        milliseconds: how much, by code.
    """

    def __init__(self, due: Sequence[Credit] | None) -> None:
        """`due` must be given back, by the recording; None: that is not known any more."""
        self.milliseconds = Count[str]()
        self._is_known = due is not None
        self._due = set(due or ())
        self._late = False
        self._unexplained: dict[Credit, None] = {}
        self._unexplained_rows = 0

    def read(self, row: BilledRange, last_billed: BilledRange | None) -> None:
        """The next row that gives back, and the last one that billed."""
        self.milliseconds[row.code or ""] -= row_milliseconds(row.kind, row.from_ms, row.to_ms)
        self._late |= last_billed is not None and row.recorded_at > last_billed.recorded_at
        credit = Credit(row.code or "", row.from_ms, row.to_ms)
        if credit in self._due:
            self._due.remove(credit)
            return
        self._unexplained_rows += 1
        if len(self._unexplained) < MOST_SENTENCES:
            self._unexplained[credit] = None

    def imbalances(self, counted_ms: int, *, settled: bool) -> list[str]:
        """What is wrong; `counted_ms` were billed, `settled` tells whether the session is over."""
        found = []
        if self.milliseconds and not settled:
            found.append("something is given back, but the session is not over")
        if self._late:
            found.append("something was given back after the final row: late")
        given_back = self.milliseconds.total()
        if given_back > counted_ms:
            found.append(f"{seconds(given_back)} are given back of {seconds(counted_ms)}")
        if not self._is_known or not settled:
            return found
        due = Sentences()
        for credit in _in_order(self._due):
            due.add(f"{_words(credit)} must be given back, but no row does")
        unexplained = Sentences(self._unexplained_rows - len(self._unexplained))
        for credit in _in_order(self._unexplained):
            unexplained.add(f"{_words(credit)} are given back, but the recording does not say why")
        return [*found, *due.all(), *unexplained.all()]


def _words(credit: Credit) -> str:
    return f"{credit.code} from {seconds(credit.from_ms)} to {seconds(credit.to_ms)}"


def _in_order(given: Iterable[Credit]) -> list[Credit]:
    return sorted(given, key=lambda credit: (credit.from_ms, credit.code))
