"""Stretches of a recording in which nobody was in the room: nothing is missing there, for nobody was to be heard."""

from collections.abc import Iterable, Sequence
from typing import TypedDict

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range, merged_ranges, position_without


class AbsenceMs(TypedDict):
    """An absence as documents show it, in whole milliseconds (start rounded down, end up)."""

    start_ms: int
    end_ms: int


def absences_in_ms(absences: Iterable[Range], length_samples: int, cuts: Sequence[Range] = ()) -> list[AbsenceMs]:
    """Merge stretches of samples [start, end), clip them to [0, length_samples), and sort them.

    All times are those of a file that the cuts were taken out of.
    """
    clipped = ((max(start, 0), min(end, length_samples)) for start, end in absences)
    moved = merged_ranges((position_without(start, cuts), position_without(end, cuts)) for start, end in clipped)
    return [
        AbsenceMs(start_ms=start * 1000 // SAMPLE_RATE, end_ms=-(-end * 1000 // SAMPLE_RATE)) for start, end in moved
    ]
