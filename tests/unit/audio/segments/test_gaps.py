"""Gaps in whole milliseconds that hide none of what is missing."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.pcm import SAMPLE_RATE
from audio.segments.gaps import GAP_PAUSED, Gap, GapMs, cut_gaps_in_ms, gaps_in_ms, unnamed_ms


def test_a_gap_of_one_sample_is_a_millisecond() -> None:
    """Starts are rounded down, ends up: the first sample and the last are told too."""
    assert gaps_in_ms([Gap(0, 1, "gap.x")], 48_001) == [{"start_ms": 0, "end_ms": 1, "code": "gap.x"}]
    assert gaps_in_ms([Gap(48_000, 99_999, "gap.x")], 48_001) == [{"start_ms": 1000, "end_ms": 1001, "code": "gap.x"}]
    assert gaps_in_ms([Gap(48_001, 99_999, "gap.x")], 48_001) == []


def test_a_pause_that_was_cut_out_lies_in_a_whole_millisecond() -> None:
    """Where it was, without length; a later one moves by those before it."""
    assert cut_gaps_in_ms([], 96_000, [(47, 5_000), (53_001, 60_000)]) == [
        {"start_ms": 0, "end_ms": 0, "code": GAP_PAUSED},
        {"start_ms": 1001, "end_ms": 1001, "code": GAP_PAUSED},
    ]


def test_of_a_pause_that_ended_late_there_is_one_gap() -> None:
    """What of it is in the file, after the cut; another pause is another gap."""
    cuts = [(48_000, 96_000), (192_000, 240_000)]
    assert cut_gaps_in_ms([Gap(96_000, 105_600, GAP_PAUSED)], 288_000, cuts) == [
        {"start_ms": 1000, "end_ms": 1200, "code": GAP_PAUSED},
        {"start_ms": 3000, "end_ms": 3000, "code": GAP_PAUSED},
    ]


LENGTH_MS = 60
RANKS = {GAP_PAUSED: 0, "gap.storage": 1, "gap.rejoin": 2, "gap.permission": 3}


@given(
    gaps=st.lists(
        st.builds(
            Gap,
            st.integers(-480, LENGTH_MS * 48),
            st.integers(0, LENGTH_MS * 48 + 480),
            st.sampled_from([*RANKS, "gap.unranked"]),
            st.sampled_from([None, None, "ann", "bob"]),
        ),
        max_size=8,
    )
)
def test_no_millisecond_is_told_twice_and_the_lowest_rank_tells_it(gaps: list[Gap]) -> None:
    """Of everybody, and of each participant."""
    told = gaps_in_ms(gaps, LENGTH_MS * 48, RANKS)

    def named(found: list[GapMs], identity: str | None) -> Counter[tuple[int, str]]:
        own = [one for one in found if one.get("identity") == identity]
        return Counter((ms, one["code"]) for one in own for ms in range(one["start_ms"], one["end_ms"]))

    alone = [one for gap in gaps for one in gaps_in_ms([gap], LENGTH_MS * 48)]
    for identity in (None, "ann", "bob"):
        listed = named(told, identity)
        assert max(Counter(ms for ms, _ in listed).values(), default=1) == max(listed.values(), default=1) == 1
        for ms in range(LENGTH_MS):
            here = [(RANKS.get(code, 9), code) for at, code in named(alone, identity) if at == ms]
            assert [code for at, code in listed if at == ms] == [code for _, code in sorted(here)[:1]]


@pytest.mark.parametrize(
    ("named", "missing_ms"),
    [
        ([], 2000),
        ([GapMs(start_ms=1000, end_ms=3000, code="gap.storage")], 0),
        ([GapMs(start_ms=1500, end_ms=9000, code="gap.storage")], 500),
        ([GapMs(start_ms=1000, end_ms=3000, code="gap.rejoin")], 2000),
        ([GapMs(start_ms=1000, end_ms=3000, code="gap.storage", identity="ann")], 2000),
    ],
)
def test_of_what_is_lost_the_recordings_own_gaps_name_some(named: list[GapMs], missing_ms: int) -> None:
    """Those of the storage, of everybody; what is lost twice counts once, in the file's times."""
    lost = [(3 * SAMPLE_RATE, 4 * SAMPLE_RATE), (2 * SAMPLE_RATE, 4 * SAMPLE_RATE), (9, 9)]
    assert unnamed_ms(lost, ((0, SAMPLE_RATE),), named) == missing_ms
