"""Whether the rows of a session's bill balance, recomputed from the rows alone.

A bill balances when its ranges tile the session's counter from 0 without a hole or an overlap, when every row's credits
are its milliseconds times its multiplier, when the multiplier, the agent and the customer never change, when the rows
were recorded in their order (a reader that follows the ledger would miss a late one), and when exactly the last row of
a settled session is final. Where the session still exists, its own counter must say the same, and what is given back
must be what its recording lacks.

Rows are read one by one, and none is kept, however many a bill has.
"""

from collections import Counter as Count
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sessions.billing.checking.amounts import Amounts
from sessions.billing.checking.billed_range import BilledRange
from sessions.billing.checking.finals import Finals
from sessions.billing.checking.given_back import GivenBack
from sessions.billing.checking.sentences import seconds
from sessions.billing.checking.tiling import Tiling
from sessions.billing.crediting import Credit
from sessions.billing.usage import row_milliseconds


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


class BillCheck:
    """Reads the rows of one bill: those that bill, oldest first, then those that give back.

    Attributes:
        counted_ms: what was billed.
        settled: whether the session is over, so that nothing more is billed.
    """

    def __init__(self, counter: Counter) -> None:
        self.counted_ms = 0
        self.settled = counter.settled
        self._billable_ms = counter.billable_ms
        self._rows = 0
        self._tiling = Tiling()
        self._finals = Finals()
        self._amounts = Amounts(counter.multiplier)
        self._given_back = GivenBack(counter.given_back)

    @property
    def credited_ms(self) -> Count[str]:
        """What was given back of what was billed, by code."""
        return self._given_back.milliseconds

    @property
    def milliseconds(self) -> int:
        """What the rows add up to."""
        return self.counted_ms - self.credited_ms.total()

    @property
    def credits(self) -> Decimal:
        """What the rows' credits add up to."""
        return self._amounts.credits

    @property
    def recomputed_credits(self) -> Decimal:
        """What they should add up to, by each row's milliseconds and multiplier."""
        return self._amounts.recomputed_credits

    def read(self, row: BilledRange) -> None:
        """The next row."""
        self._rows += 1
        self._amounts.read(self._rows, row)
        if row.kind == "credit":
            self._given_back.read(row, self._tiling.last)
            return
        self._tiling.read(row)
        self._finals.read(row)
        self.counted_ms += row_milliseconds(row.kind, row.from_ms, row.to_ms)

    def imbalances(self) -> list[str]:
        """What is wrong, in sentences. Empty: it balances."""
        return [
            *self._tiling.imbalances(),
            *self._amounts.imbalances(),
            *self._finals.imbalances(settled=self.settled),
            *self._wrong_total(),
            *self._given_back.imbalances(self.counted_ms, settled=self.settled),
        ]

    def _wrong_total(self) -> list[str]:
        counted, billed = self._billable_ms, self._tiling.reached_ms
        if counted is None or (billed <= counted and not (self.settled and billed != counted)):
            return []
        return [f"the rows add up to {seconds(billed)}, the session's counter says {seconds(counted)}"]
