"""Ranges of samples are sets of samples."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audio.ranges import Range, kept_ranges, merged_ranges, position_without

EDGES = st.integers(0, 30)
RANGES = st.lists(st.tuples(EDGES, EDGES), max_size=6)


def samples_of(ranges: list[Range]) -> list[int]:
    """Every sample of ranges, in their order."""
    return [sample for start, end in ranges for sample in range(start, end)]


@given(start=EDGES, end=EDGES, cuts=RANGES)
def test_what_is_kept_is_what_no_cut_has(start: int, end: int, cuts: list[Range]) -> None:
    """In order, once, and never an empty range."""
    kept = list(kept_ranges(start, end, merged_ranges(cuts)))

    assert samples_of(kept) == [sample for sample in range(start, end) if sample not in samples_of(cuts)]
    assert all(first < last for first, last in kept)


@given(sample=EDGES, cuts=RANGES)
def test_a_position_without_cuts_counts_the_samples_before_it(sample: int, cuts: list[Range]) -> None:
    """Those that are left."""
    assert position_without(sample, merged_ranges(cuts)) == len(set(range(sample)) - set(samples_of(cuts)))


@given(ranges=RANGES)
def test_merged_ranges_neither_touch_nor_lose_a_sample(ranges: list[Range]) -> None:
    """Sorted, apart, none of them empty."""
    merged = merged_ranges(ranges)

    assert samples_of(list(merged)) == sorted(set(samples_of(ranges)))
    assert all(before[1] < after[0] for before, after in pairwise(merged))
    assert all(start < end for start, end in merged)
