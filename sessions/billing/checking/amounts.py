"""Whether each row's credits are its milliseconds times its multiplier, and all rows are of one agent and quality."""

from decimal import Decimal

from sessions.billing.checking.billed_range import BilledRange
from sessions.billing.checking.sentences import Sentences, seconds
from sessions.billing.usage import credits, row_milliseconds


class Amounts:
    """Reads all rows.

    Attributes:
        credits: what they add up to.
        recomputed_credits: what they should add up to, by each row's milliseconds and multiplier.
    """

    def __init__(self, multiplier: Decimal | None) -> None:
        """`multiplier` as fixed at create; None: the first row's."""
        self.credits = Decimal(0)
        self.recomputed_credits = Decimal(0)
        self._multiplier = multiplier
        self._first: BilledRange | None = None
        self._found = Sentences()

    def read(self, number: int, row: BilledRange) -> None:
        """The next row, the first one of which is number 1."""
        self._first = first = self._first or row
        if self._multiplier is None:
            self._multiplier = row.multiplier
        expected = credits(row_milliseconds(row.kind, row.from_ms, row.to_ms), row.multiplier)
        self.credits += row.credits
        self.recomputed_credits += expected
        if row.credits != expected:
            span = seconds(row.to_ms - row.from_ms)
            self._found.add(f"row {number} says {row.credits} credits, but {span} × {row.multiplier} are {expected}")
        if row.multiplier != self._multiplier:
            self._found.add(f"row {number} multiplies by {row.multiplier}, the session by {self._multiplier}")
        if row.quality != first.quality:
            self._found.add(f"row {number} bills quality {row.quality}, the first one {first.quality}")
        if (row.agent_id, row.external_customer_id) != (first.agent_id, first.external_customer_id):
            self._found.add(f"row {number} bills another agent or customer than the first one")

    def imbalances(self) -> list[str]:
        """What is wrong with single rows."""
        return self._found.all()
