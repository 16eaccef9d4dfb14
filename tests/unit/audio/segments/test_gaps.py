"""Gaps in whole milliseconds that hide none of what is missing."""

import pytest

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
