"""Stretches of a recording in which nobody was in the room. Nothing is missing there, so they are no gaps."""

from collections.abc import Iterable, Sequence
from typing import TypedDict

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range, merged_ranges, position_without


class AbsenceMs(TypedDict):
    """An absence as documents show it, in whole milliseconds of the file (start rounded down, end up)."""

    start_ms: int
    end_ms: int


def absences_in_ms(absences: Iterable[Range], length_samples: int, cuts: Sequence[Range] = ()) -> list[AbsenceMs]:
    """Merge stretches of samples [start, end), clip them to [0, length_samples), and sort them.

    All times are those of a file that the cuts were taken out of.
    """
    clipped = ((max(start, 0), min(end, length_samples)) for start, end in absences)
    moved = merged_ranges((position_without(start, cuts), position_without(end, cuts)) for start, end in clipped)
    length_ms = position_without(length_samples, cuts) * 1000 // SAMPLE_RATE
    in_ms = ((start * 1000 // SAMPLE_RATE, min(-(-end * 1000 // SAMPLE_RATE), length_ms)) for start, end in moved)
    return [AbsenceMs(start_ms=start, end_ms=end) for start, end in merged_ranges(in_ms)]
