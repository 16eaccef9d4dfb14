"""Which segments a recording needs, whether the object storage lists them or not, and when the rest was recorded.

A run's segments are numbered without a hole. What a sealed run stored is in the database with its times; of a run that
was never sealed only the numbers in the list are known, so a missing one lies between its neighbors.
"""

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from audio.building.build import Gap, PlannedSegment, SegmentKey
from audio.segments.gaps import GAP_STORAGE
from store.runs.run_segments import RunSegments
from worker.clock.session_clock import SessionClock


def needed_segments(
    listed: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]], prefix: str
) -> list[PlannedSegment]:
    """What a recording is built from: everything that is listed or that a run stored. What is not there reads as a gap.

    Args:
        listed: {name, storage_key} each, of a `FrozenPlan`.
        runs: of a `FrozenPlan`.
        prefix: the folder of the session's segments, without a slash at its end.
    """
    found = {one["name"]: PlannedSegment(SegmentKey.parse(one["name"]), one["storage_key"]) for one in listed}
    for run in runs:
        for segment in _segments_of(run).stored:
            gaps = tuple(Gap(start, end, code, identity) for code, start, end, identity in segment.gaps)
            found[segment.name] = PlannedSegment(
                SegmentKey.parse(segment.name), f"{prefix}/{segment.name}", gaps, segment.absences
            )
    return list(found.values())


def unknown_segments(
    runs: Sequence[dict[str, Any]], keys: Sequence[SegmentKey], clock: SessionClock, length_samples: int
) -> list[Gap]:
    """The stretches of segments of which only the number is known.

    Args:
        runs: of a `FrozenPlan`. What is missing behind the last number of an unsealed run is not known here.
        keys: of all segments that are needed.
    """
    gaps: list[Gap] = []
    for run in runs:
        if run.get("segments") is None or run["joined_at"] is None:
            continue
        own = {key.sequence: key for key in keys if key.epoch == run["epoch"] and key.owner == run["owner"]}
        successors = [key.first_sample for key in keys if key.epoch > run["epoch"] and key.has_audio]
        end_sample = min([length_samples, *successors])
        joined, beaten = (clock.sample_of(datetime.fromisoformat(run[stamp])) for stamp in ("joined_at", "beat_at"))
        for first, last in _missing(max([_segments_of(run).count, *own]), own.keys()):
            start = own[first - 1].last_sample if first > 1 else joined
            end = own[last + 1].first_sample if last + 1 in own else beaten
            # Segments that are shorter than a delay may lie in each other: it was there all the same, so say so.
            start, end = min(start, end), max(start, end, min(start, end) + 1)
            gaps.append(Gap(max(start, 0), min(end, end_sample), GAP_STORAGE))
    return [gap for gap in gaps if gap.start_sample < gap.end_sample]


def _missing(count: int, known: Container[int]) -> Iterator[tuple[int, int]]:
    """The numbers of 1 to `count` that are not known, as first and last of each stretch."""
    numbers = (number for number in range(1, count + 1) if number not in known)
    for _, stretch in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in stretch]
        yield members[0], members[-1]


def _segments_of(run: dict[str, Any]) -> RunSegments:
    document = run.get("segments")  # a plan that an older release froze has none
    return RunSegments() if document is None else RunSegments.of(document)
