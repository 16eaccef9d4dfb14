"""What a bill that doesn't balance is told."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.billing.checking.bill_check import BillCheck, Counter
from sessions.billing.usage import credits


@dataclass(frozen=True)
class Row:
    """A row of the bill."""

    kind: str
    code: str | None
    epoch: int
    from_ms: int
    to_ms: int
    quality: str
    multiplier: Decimal
    credits: Decimal
    agent_id: str
    external_customer_id: str | None
    recorded_at: datetime


def imbalances(rows: list[Row], counter: Counter) -> list[str]:
    """What is wrong with a bill of these rows, in sentences; rows that give back are read last. Empty: it balances."""
    check = BillCheck(counter)
    for row in sorted(rows, key=lambda row: row.kind == "credit"):
        check.read(row)
    return check.imbalances()


def bill(lengths: list[int], multiplier: Decimal = Decimal("1.500"), *, settled: bool = True) -> list[Row]:
    """Rows of these lengths, one after the other."""
    rows: list[Row] = []
    for number, length in enumerate(lengths, 1):
        start = rows[-1].to_ms if rows else 0
        kind = "final" if settled and number == len(lengths) else "accrual"
        amount = credits(length, multiplier)
        at = BEGAN + timedelta(minutes=number)
        rows.append(Row(kind, None, number, start, start + length, "standard", multiplier, amount, "agent", None, at))
    return rows


BEGAN = datetime(2026, 11, 22, tzinfo=UTC)
LENGTHS = st.lists(st.integers(1, 10_000_000), min_size=1, max_size=8)
MULTIPLIERS = st.decimals("0.001", "999.999", places=3)


@given(lengths=LENGTHS, multiplier=MULTIPLIERS, settled=st.booleans())
def test_a_right_bill_balances(lengths: list[int], multiplier: Decimal, settled: bool) -> None:
    """Whatever the multiplier; of a running session the counter may be ahead of the rows."""
    rows = bill(lengths, multiplier, settled=settled)
    counted = sum(lengths) + (0 if settled else 5)
    assert imbalances(rows, Counter(settled, counted, multiplier)) == []
    assert imbalances(rows, Counter(settled, None, None)) == []


@given(lengths=st.lists(st.integers(2, 10_000), min_size=2, max_size=8), data=st.data())
def test_a_row_less_or_a_changed_amount_never_balances(lengths: list[int], data: st.DataObject) -> None:
    """One row missing, doubled, shifted, or with another amount: something is said."""
    rows = bill(lengths)
    counter = Counter(True, sum(lengths), Decimal("1.500"))
    at = data.draw(st.integers(0, len(rows) - 1))
    row = rows[at]
    for wrong in (
        rows[:at] + rows[at + 1 :],
        rows[: at + 1] + rows[at:],
        [*rows[:at], replace(row, from_ms=row.from_ms + 1), *rows[at + 1 :]],
        [*rows[:at], replace(row, credits=row.credits + Decimal("0.001")), *rows[at + 1 :]],
        [*rows[:at], replace(row, kind="accrual" if row.kind == "final" else "final"), *rows[at + 1 :]],
    ):
        assert imbalances(wrong, counter)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"from_ms": 1000}, "the first row begins at 1.000 s instead of 0: the time before it has no row"),
        ({"to_ms": 59_000}, "row 1 ends at 59.000 s, row 2 begins at 60.000 s: the time between them has no row"),
        ({"to_ms": 61_000}, "row 1 ends at 61.000 s, row 2 begins at 60.000 s: the time between them is billed twice"),
        ({"credits": Decimal("90.001")}, "row 1 says 90.001 credits, but 60.000 s × 1.500 are 90.000"),
        ({"multiplier": Decimal("2.000")}, "row 1 multiplies by 2.000, the session by 1.500"),
        ({"quality": "mock"}, "row 2 bills quality standard, the first one mock"),
        ({"epoch": 3}, "row 2 is of an earlier run than row 1"),
        ({"kind": "final"}, "row 1 is final, but rows follow it"),
        ({"recorded_at": BEGAN + timedelta(hours=1)}, "row 1 was recorded after row 2: late"),
        ({"agent_id": "other"}, "row 2 bills another agent or customer than the first one"),
        ({"external_customer_id": "c"}, "row 2 bills another agent or customer than the first one"),
    ],
)
def test_sentences_say_what_is_wrong(change: dict[str, object], sentence: str) -> None:
    """For a person who pays."""
    first, last = bill([60_000, 5_000])
    assert sentence in imbalances([replace(first, **change), last], Counter(True, 65_000, Decimal("1.500")))  # type: ignore[arg-type]


def test_a_bill_ends_when_the_session_does() -> None:
    """One final row, and the counter's total."""
    rows = bill([60_000])
    assert imbalances(rows, Counter(False, 60_000, None)) == ["a row is final, but the session is not over"]
    assert imbalances([], Counter(True, 0, None)) == ["the session is over, but no row is final"]
    told = imbalances(rows, Counter(True, 61_000, None))
    assert told == ["the rows add up to 60.000 s, the session's counter says 61.000 s"]
    assert imbalances([], Counter(False, 0, None)) == []


def test_rows_of_one_run_and_one_instant_balance() -> None:
    """A settling writes its row in the instant of the one before, and a final row may be empty."""
    first, last = bill([60_000, 0])
    assert imbalances([first, replace(last, epoch=1, recorded_at=first.recorded_at)], Counter(True, 60_000, None)) == []


def test_sentences_name_the_row_and_its_own_span() -> None:
    """Rows are counted from one; what lies before a row is none of its time."""
    first, last = bill([60_000, 5_000])
    told = imbalances([first, replace(last, credits=Decimal(1))], Counter(True, 65_000, None))
    assert told == ["row 2 says 1 credits, but 5.000 s × 1.500 are 7.500"]
    told = imbalances([replace(first, to_ms=-1)], Counter(False, None, None))
    assert "row 1 ends at -1.999 s, before it begins at 0.000 s" in told
    told = imbalances([replace(first, kind="final"), last], Counter(True, 65_000, None))
    assert told == ["row 1 is final, but rows follow it", "2 rows are final instead of one"]
