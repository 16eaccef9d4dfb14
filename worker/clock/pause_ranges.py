"""The paused stretches of a session on its clock: what neither the spool nor an upload may hold. Pure."""

from collections.abc import Sequence

from audio.ranges import Range, merged_ranges
from store.lifecycle.pauses import Pause
from worker.clock.session_clock import SessionClock

END_OF_TIME = 1 << 62


def pause_ranges(pauses: Sequence[Pause], clock: SessionClock) -> tuple[Range, ...]:
    """Samples [start, end) of each pause, disjoint and sorted; a pause that goes on ends at `END_OF_TIME`."""
    return merged_ranges(
        (
            max(clock.sample_of(pause.paused_at), 0),
            END_OF_TIME if pause.resumed_at is None else clock.sample_of(pause.resumed_at),
        )
        for pause in pauses
    )


def overlaps(start: int, end: int, cuts: Sequence[Range]) -> bool:
    """Whether any of [start, end) lies in a cut."""
    return any(cut_start < end and start < cut_end for cut_start, cut_end in cuts)
