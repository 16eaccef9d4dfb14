"""In which order the segments of a plan are read, where each epoch ends, and which records are contiguous."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from audio.segments.plan import BuildPlan, PlannedSegment
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import RecordKind, SegmentRecord


@dataclass(slots=True)
class ContiguousRun:
    """AUDIO records of one track that follow each other without a hole."""

    track: int
    start_sample: int
    end_sample: int
    payloads: list[memoryview] = field(default_factory=list)


def contiguous_runs(records: Iterable[SegmentRecord]) -> Iterator[ContiguousRun]:
    """Yield each track's runs in their order; the tracks may alternate."""
    open_runs: dict[int, ContiguousRun] = {}
    for kind, track, _sequence, start_sample, _arrival_sample, count, payload in records:
        if kind != RecordKind.AUDIO:
            continue
        run = open_runs.get(track)
        if run is None or run.end_sample != start_sample:
            if run is not None:
                yield run
            run = open_runs[track] = ContiguousRun(track, start_sample, start_sample)
        run.payloads.append(payload)
        run.end_sample += count
    yield from open_runs.values()


def epoch_ends(plan: BuildPlan) -> dict[int, int]:
    """Return for each epoch where it ends: the first sample of any higher one, else the end of the file."""
    ends: dict[int, int] = {}
    end_sample = plan.length_samples
    by_epoch: dict[int, list[SegmentKey]] = {}
    for planned in plan.segments:
        by_epoch.setdefault(planned.key.epoch, []).append(planned.key)
    for epoch in sorted(by_epoch, reverse=True):
        ends[epoch] = end_sample
        first_samples = [key.first_sample for key in by_epoch[epoch] if key.has_audio]
        end_sample = min([end_sample, *first_samples])
    return ends


def in_reading_order(segments: Sequence[PlannedSegment]) -> list[PlannedSegment]:
    """Sort by first sample, one segment per epoch, owner and sequence.

    A spool that was salvaged twice may have left two versions of one segment. The longer one is taken: it has all that
    the shorter one has.
    """
    longest: dict[tuple[int, str, int], PlannedSegment] = {}
    for planned in sorted(segments, key=lambda one: (one.key.size_bytes, one.key.crc32)):
        longest[planned.key.epoch, planned.key.owner, planned.key.sequence] = planned
    return sorted(
        longest.values(),
        key=lambda one: (one.key.first_sample, one.key.epoch, one.key.owner, one.key.sequence),
    )
