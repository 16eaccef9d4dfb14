"""What a bill gives back, by what the recording lacks."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.billing.crediting import Credit, credits_of_failure, credits_of_recording
from sessions.codes import CODES

GAPS = sorted(code for code, entry in CODES.items() if entry.kind == "gap")


def absence(start_ms: int, end_ms: int) -> dict[str, Any]:
    """As a recording lists it."""
    return {"start_ms": start_ms, "end_ms": end_ms}


def gap(start_ms: int, end_ms: int, code: str) -> dict[str, Any]:
    """As a recording lists it."""
    return {"start_ms": start_ms, "end_ms": end_ms, "code": code}


@pytest.mark.parametrize(
    ("billed_ms", "gaps", "expected"),
    [
        (60_000, [], []),
        (60_000, [gap(10_000, 20_000, "gap.storage")], [Credit("gap.storage", 10_000, 19_999)]),
        (60_000, [gap(10_000, 20_000, "gap.overflow")], []),
        (50_000, [gap(10_000, 20_000, "gap.paused")], []),
        # A pause of which some was counted, and time that was counted beyond the end.
        (50_261, [gap(10_000, 20_000, "gap.paused")], [Credit("gap.paused", 10_000, 10_260)]),
        (60_261, [gap(10_000, 10_000, "gap.paused")], [Credit("usage.not_recorded", 60_000, 60_260)]),
        # Half of the outage was not billed to begin with.
        (55_000, [gap(10_000, 20_000, "gap.rejoin")], [Credit("gap.rejoin", 10_000, 14_999)]),
        (50_000, [gap(10_000, 20_000, "gap.rejoin")], []),
        # What two gaps name, or a pause, is given back once, or not at all.
        (
            50_000,
            [gap(5_000, 15_000, "gap.paused"), gap(10_000, 20_000, "gap.rejoin"), gap(18_000, 22_000, "gap.concealed")],
            [Credit("gap.rejoin", 15_000, 20_000), Credit("gap.concealed", 20_000, 21_999)],
        ),
    ],
)
def test_the_bill_follows_the_recording(billed_ms: int, gaps: list[dict[str, Any]], expected: list[Credit]) -> None:
    """A recording of a minute."""
    assert credits_of_recording(60_000, gaps, [], billed_ms) == expected


@pytest.mark.parametrize(
    ("billed_ms", "gaps", "absences", "expected"),
    [
        (60_000, [], [absence(0, 20_000)], [Credit("usage.no_media", 0, 19_999)]),
        # Nobody came at all: not even the millisecond that rounding may cost.
        (60_000, [], [absence(0, 60_000)], [Credit("usage.no_media", 0, 60_000)]),
        (
            60_001,
            [],
            [absence(0, 60_001)],
            [Credit("usage.no_media", 0, 60_000), Credit("usage.not_recorded", 60_000, 60_001)],
        ),
        # Before the first and after the last one, in the order of the recording.
        (
            60_000,
            [gap(30_000, 31_000, "gap.storage")],
            [absence(50_000, 60_000), absence(0, 20_000)],
            [
                Credit("usage.no_media", 0, 20_000),
                Credit("gap.storage", 30_000, 30_999),
                Credit("usage.no_media", 50_000, 60_000),
            ],
        ),
        # Half of the outage was not counted: what is short is the gap's, for absences were counted.
        (
            55_000,
            [gap(10_000, 20_000, "gap.rejoin")],
            [absence(30_000, 40_000)],
            [Credit("gap.rejoin", 10_000, 14_999), Credit("usage.no_media", 30_000, 40_000)],
        ),
        # An outage and a pause in which nobody was there are given back once, and not at all.
        (
            50_000,
            [gap(0, 10_000, "gap.paused"), gap(10_000, 20_000, "gap.rejoin")],
            [absence(0, 30_000)],
            [Credit("gap.rejoin", 10_000, 19_999), Credit("usage.no_media", 20_000, 30_000)],
        ),
        # A gap that is the customer's is paid only while somebody is there.
        (
            60_000,
            [gap(0, 20_000, "gap.permission")],
            [absence(10_000, 30_000)],
            [Credit("usage.no_media", 10_000, 29_999)],
        ),
        # Time that was not counted is not given back, whoever was there.
        (40_000, [], [absence(0, 20_000)], []),
    ],
)
def test_nobody_pays_for_an_empty_room(
    billed_ms: int, gaps: list[dict[str, Any]], absences: list[dict[str, Any]], expected: list[Credit]
) -> None:
    """A recording of a minute."""
    assert credits_of_recording(60_000, gaps, absences, billed_ms) == expected


@given(
    duration_ms=st.integers(1, 200),
    gaps=st.lists(st.tuples(st.integers(0, 220), st.integers(0, 220), st.sampled_from(GAPS)), max_size=6),
    absences=st.lists(st.tuples(st.integers(0, 220), st.integers(0, 220)), max_size=4),
    billed_ms=st.integers(0, 320),
)
def test_nobody_pays_for_more_than_the_recording_has(
    duration_ms: int, gaps: list[tuple[int, int, str]], absences: list[tuple[int, int]], billed_ms: int
) -> None:
    """Counted millisecond by millisecond: nothing twice, and nothing that is the customer's while something is ours."""
    listed = [gap(min(a, b), max(a, b), code) for a, b, code in gaps]
    alone = [absence(min(a, b), max(a, b)) for a, b in absences]
    given_back = credits_of_recording(duration_ms, listed, alone, billed_ms)

    def named(faults: tuple[str, ...]) -> set[int]:
        return {
            ms
            for one in listed
            if CODES[one["code"]].fault in faults
            for ms in range(one["start_ms"], min(one["end_ms"], duration_ms))
        }

    paused = named(("none",))
    ours = named(("platform", "transport")) - paused
    empty = {ms for one in alone for ms in range(one["start_ms"], min(one["end_ms"], duration_ms))} - paused - ours
    beyond = set(range(duration_ms, duration_ms + billed_ms))
    by_reason: dict[str, set[int]] = {}
    for credit in given_back:
        by_reason.setdefault(credit.code, set()).update(range(credit.from_ms, credit.to_ms))
    back = [ms for credit in given_back for ms in range(credit.from_ms, credit.to_ms)]
    recorded = duration_ms - len(paused | ours | empty)
    payable = recorded + 1 if recorded else 0

    assert all(credit.milliseconds > 0 for credit in given_back)
    assert len(back) == len(set(back))
    assert billed_ms - len(back) == min(billed_ms, payable)
    assert all(
        ranges <= {"usage.no_media": empty, "usage.not_recorded": beyond, "gap.paused": paused}.get(code, ours)
        for code, ranges in by_reason.items()
    )
    for first, then in pairwise([empty, ours, paused, beyond]):
        assert first <= set(back) or not then & set(back), "each reason is used up before the next one"


def test_who_gets_no_recording_pays_nothing_for_it() -> None:
    """Unless it is the customer's fault."""
    assert credits_of_failure("storage.write_failed", 1234) == [Credit("storage.write_failed", 0, 1234)]
    assert credits_of_failure("storage.write_failed", 0) == []
    customers = next(code for code, entry in CODES.items() if entry.kind == "failure" and entry.fault == "customer")
    assert credits_of_failure(customers, 1234) == []
