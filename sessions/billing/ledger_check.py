"""Whether the rows of a session's bill balance, recomputed from the rows alone.

A bill balances when its ranges tile the session's counter from 0 without a hole or an overlap, when every row's credits
are its milliseconds times its multiplier, when the multiplier, the agent and the customer never change, when the rows
were recorded in their order (a reader that follows the ledger would miss a late one), and when exactly the last row of
a settled session is final. Where the session still exists, its own counter must say the same, and what is given back
must be what its recording lacks.

Rows are read one by one, and none is kept, however many a bill has.
"""

from collections import Counter as Count
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from sessions.billing.crediting import Credit
from sessions.billing.usage import credits, row_milliseconds


class BilledRange(Protocol):
    """What is read of one row of the bill; the columns of `usage_events` say what each is."""

    @property
    def kind(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    @property
    def epoch(self) -> int: ...
    @property
    def from_ms(self) -> int: ...
    @property
    def to_ms(self) -> int: ...
    @property
    def quality(self) -> str: ...
    @property
    def multiplier(self) -> Decimal: ...
    @property
    def credits(self) -> Decimal: ...
    @property
    def agent_id(self) -> str: ...
    @property
    def external_customer_id(self) -> str | None: ...
    @property
    def recorded_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Counter:
    """What the session itself says.

    Attributes:
        settled: it is over, so its bill must be complete; also of an erased session.
        billable_ms: its counter of proven time; None when it was erased.
        multiplier: as fixed at create; None when it was erased.
        given_back: what its bill must give back, by its recording; None when that is not known any more.
    """

    settled: bool
    billable_ms: int | None
    multiplier: Decimal | None
    given_back: Sequence[Credit] | None = None


_MOST_SENTENCES = 20  # of one kind; a bill that is wrong everywhere needs no thousand to say so


def seconds(milliseconds: int) -> str:
    """`60.012 s`."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03} s"


class BillCheck:
    """Reads the rows of one bill: those that bill, oldest first, then those that give back.

    Attributes:
        counted_ms: what was billed.
        credited_ms: what was given back of it, by code.
        credits: what both add up to.
        recomputed_credits: what they should add up to, by each row's milliseconds and multiplier.
    """

    def __init__(self, counter: Counter) -> None:
        self.counted_ms = 0
        self.credited_ms = Count[str]()
        self.credits = Decimal(0)
        self.recomputed_credits = Decimal(0)
        self._counter = counter
        self._agreed = counter.multiplier
        self._first: BilledRange | None = None
        self._billed: BilledRange | None = None  # the last row that bills
        self._rows = self._billed_rows = self._reached_ms = 0
        self._finals = _Sentences()
        self._final_rows = 0
        self._last_is_final = False
        self._late_credits = False
        self._due = set(counter.given_back or ())
        self._edges, self._backwards, self._amounts = _Sentences(), _Sentences(), _Sentences()
        self._unexplained: dict[Credit, None] = {}
        self._unexplained_rows = 0

    @property
    def milliseconds(self) -> int:
        """What the rows add up to."""
        return self.counted_ms - self.credited_ms.total()

    @property
    def settled(self) -> bool:
        """Whether the session is over, so that nothing more is billed."""
        return self._counter.settled

    def read(self, row: BilledRange) -> None:
        """The next row."""
        self._rows += 1
        self._first = self._first or row
        if self._agreed is None:
            self._agreed = row.multiplier
        self.credits += row.credits
        self._check_amount(row, self._first)
        if row.kind == "credit":
            self._give_back(row)
        else:
            self._bill(row)

    def imbalances(self) -> list[str]:
        """What is wrong, in sentences. Empty: it balances."""
        return [
            *self._edges.all(),
            *self._backwards.all(),
            *self._amounts.all(),
            *self._wrong_finals(),
            *self._wrong_total(),
            *self._wrong_credits(),
        ]

    def _bill(self, row: BilledRange) -> None:
        self._billed_rows += 1
        number, before = self._billed_rows, self._billed
        if before is None and row.from_ms != 0:
            self._edges.add(
                f"the first row begins at {seconds(row.from_ms)} instead of 0: the time before it has no row"
            )
        if before is not None:
            self._check_edge(number - 1, before, row)
        if row.to_ms < row.from_ms:
            self._backwards.add(
                f"row {number} ends at {seconds(row.to_ms)}, before it begins at {seconds(row.from_ms)}"
            )
        if self._last_is_final:
            self._finals.add(f"row {number - 1} is final, but rows follow it")
        self._last_is_final = row.kind == "final"
        self._final_rows += self._last_is_final
        self._reached_ms = max(self._reached_ms, row.to_ms)
        self.counted_ms += row_milliseconds(row.kind, row.from_ms, row.to_ms)
        self._billed = row

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

    def _check_amount(self, row: BilledRange, first: BilledRange) -> None:
        number, found = self._rows, self._amounts
        expected = credits(row_milliseconds(row.kind, row.from_ms, row.to_ms), row.multiplier)
        self.recomputed_credits += expected
        if row.credits != expected:
            span = seconds(row.to_ms - row.from_ms)
            found.add(f"row {number} says {row.credits} credits, but {span} × {row.multiplier} are {expected}")
        if row.multiplier != self._agreed:
            found.add(f"row {number} multiplies by {row.multiplier}, the session by {self._agreed}")
        if row.quality != first.quality:
            found.add(f"row {number} bills quality {row.quality}, the first one {first.quality}")
        if (row.agent_id, row.external_customer_id) != (first.agent_id, first.external_customer_id):
            found.add(f"row {number} bills another agent or customer than the first one")

    def _give_back(self, row: BilledRange) -> None:
        self.credited_ms[row.code or ""] -= row_milliseconds(row.kind, row.from_ms, row.to_ms)
        self._late_credits |= self._billed is not None and row.recorded_at > self._billed.recorded_at
        credit = Credit(row.code or "", row.from_ms, row.to_ms)
        if credit in self._due:
            self._due.remove(credit)
            return
        self._unexplained_rows += 1
        if len(self._unexplained) < _MOST_SENTENCES:
            self._unexplained[credit] = None

    def _wrong_finals(self) -> list[str]:
        found = self._finals.all()
        if self._final_rows > 1:
            found.append(f"{self._final_rows} rows are final instead of one")
        if self._counter.settled and not self._final_rows:
            found.append("the session is over, but no row is final")
        if not self._counter.settled and self._final_rows:
            found.append("a row is final, but the session is not over")
        return found

    def _wrong_total(self) -> list[str]:
        counted, billed = self._counter.billable_ms, self._reached_ms
        if counted is None or (billed <= counted and not (self._counter.settled and billed != counted)):
            return []
        return [f"the rows add up to {seconds(billed)}, the session's counter says {seconds(counted)}"]

    def _wrong_credits(self) -> list[str]:
        found = []
        if self._rows > self._billed_rows and not self._counter.settled:
            found.append("something is given back, but the session is not over")
        if self._late_credits:
            found.append("something was given back after the final row: late")
        given_back = self.credited_ms.total()
        if given_back > self.counted_ms:
            found.append(f"{seconds(given_back)} are given back of {seconds(self.counted_ms)}")
        if self._counter.given_back is None or not self._counter.settled:
            return found
        due = _Sentences()
        for credit in _in_order(self._due):
            due.add(f"{_words(credit)} must be given back, but no row does")
        unexplained = _Sentences(self._unexplained_rows - len(self._unexplained))
        for credit in _in_order(self._unexplained):
            unexplained.add(f"{_words(credit)} are given back, but the recording does not say why")
        return [*found, *due.all(), *unexplained.all()]


class _Sentences:
    """The first ones of a kind, and how many more there are."""

    def __init__(self, left_out: int = 0) -> None:
        self._sentences: list[str] = []
        self._left_out = left_out

    def add(self, sentence: str) -> None:
        if len(self._sentences) < _MOST_SENTENCES:
            self._sentences.append(sentence)
        else:
            self._left_out += 1

    def all(self) -> list[str]:
        return [*self._sentences, *([f"… and {self._left_out} more like these"] if self._left_out else [])]


def _words(credit: Credit) -> str:
    return f"{credit.code} from {seconds(credit.from_ms)} to {seconds(credit.to_ms)}"


def _in_order(given: Iterable[Credit]) -> list[Credit]:
    return sorted(given, key=lambda credit: (credit.from_ms, credit.code))
