"""Whether what a recording lacks is declared: silence of somebody who talked all the time has to lie in a gap."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.ranges import Range, kept_ranges, merged_ranges
from tests.support.beeps import BeepPlan, find_beeps

TOLERANCE_MS = 200
CHATTER = BeepPlan(700.0, period_seconds=0.25, beep_seconds=0.1)
"""For somebody who talks all the time: what is missing shows to a quarter of a second."""


def undeclared_ms(
    samples: NDArray[np.int16], plan: BeepPlan, gaps: Iterable[Mapping[str, Any]], *, from_ms: int = 0
) -> list[Range]:
    """The stretches [start, end) of the file (milliseconds) without the plan's beeps that lie in no gap, ± 200 ms.

    What is before the first beep after `from_ms` does not count; the talker talked from there to the end of the file.
    """
    length_ms = len(samples) // 48
    onsets = [one for one in (round(second * 1000) for second in find_beeps(samples, plan)) if one >= from_ms]
    period_ms = round(plan.period_seconds * 1000)
    declared = merged_ranges((gap["start_ms"] - TOLERANCE_MS, gap["end_ms"] + TOLERANCE_MS) for gap in gaps)
    missing = [
        (one + period_ms, other)
        for one, other in zip(onsets, [*onsets[1:], length_ms], strict=True)
        if other - one > 2 * period_ms + TOLERANCE_MS  # a single beep may be lost to a busy machine
    ]
    return [left for start, end in missing for left in kept_ranges(start, end, declared)]
