"""Half-open ranges of samples [start, end): what is left of one, and several as one."""

from collections.abc import Iterable, Iterator

Range = tuple[int, int]


def kept_ranges(start: int, end: int, cuts: Iterable[Range]) -> Iterator[Range]:
    """Yield the parts of [start, end) that lie in none of the cuts, in order.

    `cuts` must be disjoint and sorted, as `merged_ranges` returns them.
    """
    for cut_start, cut_end in cuts:
        if cut_start >= end:
            break
        if cut_end <= start:
            continue
        if cut_start > start:
            yield start, cut_start
        start = cut_end
    if start < end:
        yield start, end


def position_without(sample: int, cuts: Iterable[Range]) -> int:
    """Where a position lies once the cuts are taken out; inside of a cut: where that was.

    `cuts` must be disjoint and sorted, as `merged_ranges` returns them.
    """
    return sample - sum(min(end, sample) - start for start, end in cuts if start < sample)


def merged_ranges(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sort ranges, join those that overlap or touch, drop the empty ones."""
    merged: list[Range] = []
    for start, end in sorted(one for one in ranges if one[0] < one[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
