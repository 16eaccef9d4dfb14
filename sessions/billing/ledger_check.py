"""Whether the rows of a session's bill balance, recomputed from the rows alone.

A bill balances when its ranges tile the session's counter from 0 without a hole or an overlap, when every row's credits
are its milliseconds times its multiplier, when the multiplier, the agent and the customer never change, when the rows
were recorded in their order (a reader that follows the ledger would miss a late one), and when exactly the last row of
a settled session is final. Where the session still exists, its own counter must say the same, and what is given back
must be what its recording lacks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

from sessions.billing.crediting import Credit
from sessions.billing.usage import credits, row_milliseconds


class BilledRange(Protocol):
    """What is read of one row."""

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


def billed_milliseconds(rows: Iterable[BilledRange]) -> int:
    """What the rows add up to; those that give back are subtracted."""
    return sum(row_milliseconds(row.kind, row.from_ms, row.to_ms) for row in rows)


def imbalances(rows: Sequence[BilledRange], counter: Counter) -> list[str]:
    """What is wrong with a session's rows, oldest first, in sentences for a person who pays. Empty: it balances."""
    billed = [row for row in rows if row.kind != "credit"]
    given = [row for row in rows if row.kind == "credit"]
    return [
        *_holes(billed),
        *_wrong_amounts([*billed, *given], counter),
        *_wrong_finals(billed, counter),
        *_wrong_total(billed, counter),
        *_wrong_credits(billed, given, counter),
    ]


def seconds(milliseconds: int) -> str:
    """`60.012 s`."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03} s"


def _holes(rows: Sequence[BilledRange]) -> list[str]:
    found = []
    if rows and rows[0].from_ms != 0:
        found.append(f"the first row begins at {seconds(rows[0].from_ms)} instead of 0: the time before it has no row")
    for number, (row, following) in enumerate(pairwise(rows), 1):
        edge = f"row {number} ends at {seconds(row.to_ms)}, row {number + 1} begins at {seconds(following.from_ms)}"
        if following.from_ms > row.to_ms:
            found.append(f"{edge}: the time between them has no row")
        elif following.from_ms < row.to_ms:
            found.append(f"{edge}: the time between them is billed twice")
        if following.epoch < row.epoch:
            found.append(f"row {number + 1} is of an earlier run than row {number}")
        if following.recorded_at < row.recorded_at:
            found.append(f"row {number} was recorded after row {number + 1}: late")
    found += [
        f"row {number} ends at {seconds(row.to_ms)}, before it begins at {seconds(row.from_ms)}"
        for number, row in enumerate(rows, 1)
        if row.to_ms < row.from_ms
    ]
    return found


def _wrong_amounts(rows: Sequence[BilledRange], counter: Counter) -> list[str]:
    found = []
    agreed = counter.multiplier if counter.multiplier is not None or not rows else rows[0].multiplier
    for number, row in enumerate(rows, 1):
        expected = credits(row_milliseconds(row.kind, row.from_ms, row.to_ms), row.multiplier)
        if row.credits != expected:
            span = seconds(row.to_ms - row.from_ms)
            found.append(f"row {number} says {row.credits} credits, but {span} × {row.multiplier} are {expected}")
        if row.multiplier != agreed:
            found.append(f"row {number} multiplies by {row.multiplier}, the session by {agreed}")
        if row.quality != rows[0].quality:
            found.append(f"row {number} bills quality {row.quality}, the first one {rows[0].quality}")
        if (row.agent_id, row.external_customer_id) != (rows[0].agent_id, rows[0].external_customer_id):
            found.append(f"row {number} bills another agent or customer than the first one")
    return found


def _wrong_credits(billed: Sequence[BilledRange], given: Sequence[BilledRange], counter: Counter) -> list[str]:
    found = []
    if given and not counter.settled:
        found.append("something is given back, but the session is not over")
    if billed and any(row.recorded_at > billed[-1].recorded_at for row in given):
        found.append("something was given back after the final row: late")
    if -billed_milliseconds(given) > billed_milliseconds(billed):
        back, paid = seconds(-billed_milliseconds(given)), seconds(billed_milliseconds(billed))
        found.append(f"{back} are given back of {paid}")
    if counter.given_back is None or not counter.settled:
        return found
    due, done = set(counter.given_back), {Credit(row.code or "", row.from_ms, row.to_ms) for row in given}
    found += [f"{_words(credit)} must be given back, but no row does" for credit in _in_order(due - done)]
    found += [
        f"{_words(credit)} are given back, but the recording does not say why" for credit in _in_order(done - due)
    ]
    return found


def _words(credit: Credit) -> str:
    return f"{credit.code} from {seconds(credit.from_ms)} to {seconds(credit.to_ms)}"


def _in_order(given: Iterable[Credit]) -> list[Credit]:
    return sorted(given, key=lambda credit: (credit.from_ms, credit.code))


def _wrong_finals(rows: Sequence[BilledRange], counter: Counter) -> list[str]:
    finals = [number for number, row in enumerate(rows, 1) if row.kind == "final"]
    found = [f"row {number} is final, but rows follow it" for number in finals if number < len(rows)]
    if len(finals) > 1:
        found.append(f"{len(finals)} rows are final instead of one")
    if counter.settled and not finals:
        found.append("the session is over, but no row is final")
    if not counter.settled and finals:
        found.append("a row is final, but the session is not over")
    return found


def _wrong_total(rows: Sequence[BilledRange], counter: Counter) -> list[str]:
    if counter.billable_ms is None:
        return []
    billed = max((row.to_ms for row in rows), default=0)
    if billed > counter.billable_ms or (counter.settled and billed != counter.billable_ms):
        return [f"the rows add up to {seconds(billed)}, the session's counter says {seconds(counter.billable_ms)}"]
    return []
