"""Derives from what the database froze the plan that `audio` builds. Pure, so every builder has the same plan."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from audio.building.build import BuildPlan, Gap, SegmentKey
from audio.pcm import SAMPLE_RATE
from audio.ranges import Range, kept_ranges, merged_ranges
from audio.segments.gaps import GAP_STORAGE
from audio.segments.plan import Origin
from sessions.codes import CODES
from sessions.ids import format_id
from store.outputs.freeze import FrozenPlan
from worker.clock.session_clock import SessionClock
from worker.outputs.product.segment_holes import needed_segments, unknown_segments

GAP_WORKER_LOST = "gap.worker_lost"
GAP_REJOIN = "gap.rejoin"

_FAULTS = ("none", "platform", "transport", "customer")
_SEAM_SAMPLES = SAMPLE_RATE // 20  # the last frames of a run may be made up, and the first ones of its successor are
_LAST_SAMPLES = SAMPLE_RATE // 5  # that may be missing before the end, of a run that recorded until then
_HANDOVER_SAMPLES = 2 * SAMPLE_RATE  # from an eviction to the successor's first frame; 0.1 to 0.3 s (measured)
_SUBSCRIBING_SAMPLES = 5 * SAMPLE_RATE  # whoever is heard later was not there before
_SILENT_HANDOVER_SAMPLES = 10 * SAMPLE_RATE  # the end of a run without audio is known by its last beat only


def planned_segment(storage_key: str, prefix: str) -> dict[str, Any] | None:
    """What the freeze keeps of a stored segment; None for an object that is no segment."""
    name = storage_key.removeprefix(f"{prefix}/")
    try:
        SegmentKey.parse(name)
    except ValueError:
        return None
    return {"name": name, "storage_key": storage_key}


def recording_plan(frozen: FrozenPlan) -> BuildPlan:
    """The plan of a session that ran: from `started_at` to `ending_at`, whoever recorded it."""
    session = frozen.session
    assert session.started_at is not None
    assert session.ending_at is not None
    clock = SessionClock.of_stamps(session.started_at)
    length_samples = max(clock.sample_of(session.ending_at), 0)
    cuts = paused_ranges(frozen.pauses, clock, length_samples)
    segments = needed_segments(frozen.segments, frozen.runs, f"spool/{format_id('sess', session.id)}")
    keys = [segment.key for segment in segments]
    holes = [
        *unrecorded(frozen.runs, keys, clock, length_samples, cuts),
        *unknown_segments(frozen.runs, keys, clock, length_samples),
    ]
    return BuildPlan(
        segments=tuple(segments),
        length_samples=length_samples,
        layout=session.recording.layout,
        cuts=cuts,
        gaps=tuple(
            Gap(start, end, gap.code, gap.identity)
            for gap in holes
            for start, end in kept_ranges(gap.start_sample, gap.end_sample, cuts)
        ),
        ranks=gap_ranks(),
        on_pause=session.recording.on_pause,
        origin=Origin(format_id("sess", session.id), session.started_at),
    )


def gap_ranks() -> dict[str, int]:
    """Which of two gaps is told where they overlap, by code: a pause, in which nothing is missing, then what is ours.

    So nobody pays for what is anybody's fault but theirs, and a recording is `incomplete` whatever else was missing. Of
    what is ours, what the storage lost comes first: what is made of the segments later looks for it
    (`audio.segments.gaps.unnamed_ms`).
    """
    gaps = {code: _FAULTS.index(entry.fault) for code, entry in CODES.items() if entry.kind == "gap"}
    return {code: 2 * rank - (code == GAP_STORAGE) for code, rank in gaps.items()}


def paused_ranges(pauses: Sequence[dict[str, Any]], clock: SessionClock, length_samples: int) -> tuple[Range, ...]:
    """The samples of the pauses of a `FrozenPlan`."""
    return merged_ranges(
        (
            max(clock.sample_of(datetime.fromisoformat(pause["paused_at"])), 0),
            length_samples
            if pause["resumed_at"] is None
            else min(clock.sample_of(datetime.fromisoformat(pause["resumed_at"])), length_samples),
        )
        for pause in pauses
    )


def unrecorded(
    runs: Sequence[dict[str, Any]],
    keys: Sequence[SegmentKey],
    clock: SessionClock,
    length_samples: int,
    cuts: Sequence[Range] = (),
) -> list[Gap]:
    """The stretches in which no run recorded: after one that was lost or handed over, until the next one heard.

    Only here can they be named: a recorder that takes over knows its predecessor's last beat, but not yet what that
    one's spool holds.

    Args:
        runs: of a `FrozenPlan`, in order of epochs.
        keys: of the segments that were stored, whether they are still there or not.
    """
    joined = [run for run in runs if run["joined_at"] is not None]
    gaps: list[Gap] = []
    reached = 0
    for index, run in enumerate(joined):
        reached = max(reached, _reached(run, keys, clock))
        taken_over, exact = index + 1 < len(joined), _is_exact(run, keys)
        in_peace = run["sealed"] and not run["lost"]
        slack = 0 if exact else _SILENT_HANDOVER_SAMPLES
        if taken_over:
            until = _heard_again(joined[index + 1], keys, clock, cuts)
            if exact:
                reached = min(reached, until - _SEAM_SAMPLES)
            if exact and in_peace:
                reached = min(reached, _joined(joined[index + 1], clock))
        elif in_peace and run["released_at"] is None:
            continue
        else:
            until = length_samples
            slack = max(slack, _LAST_SAMPLES if in_peace else _SEAM_SAMPLES)
        if until - reached > slack:
            handover = taken_over and in_peace and until - reached <= _HANDOVER_SAMPLES
            gaps.append(Gap(reached, until, GAP_REJOIN if handover else GAP_WORKER_LOST))
    return gaps


def _heard_again(run: dict[str, Any], keys: Sequence[SegmentKey], clock: SessionClock, cuts: Sequence[Range]) -> int:
    """From which sample on a run that took over heard the room: tracks are subscribed after the join.

    A run that joins in a pause is subscribed when the pause ends.
    """
    joined = _joined(run, clock)
    first = min((key.first_sample for key in _keys_of(run, keys) if key.has_audio), default=joined)
    in_a_pause = any(start < first and joined < end for start, end in cuts)
    return first if joined < first <= joined + _SUBSCRIBING_SAMPLES and not in_a_pause else joined


def _reached(run: dict[str, Any], keys: Sequence[SegmentKey], clock: SessionClock) -> int:
    """Until which sample a run is known to have recorded."""
    last = _last_sample(run, keys)
    proven = clock.sample_of(datetime.fromisoformat(run["beat_at"]))
    if not run["sealed"]:  # its spool was never uploaded: only what is stored counts
        return last or _joined(run, clock)
    return max(last, proven)


def _joined(run: dict[str, Any], clock: SessionClock) -> int:
    """Whoever recorded before was evicted by then."""
    return clock.sample_of(datetime.fromisoformat(run["joined_at"]))


def _is_exact(run: dict[str, Any], keys: Sequence[SegmentKey]) -> bool:
    return bool(run["lost"]) or not run["sealed"] or _last_sample(run, keys) > 0


def _last_sample(run: dict[str, Any], keys: Sequence[SegmentKey]) -> int:
    return max((key.last_sample for key in _keys_of(run, keys)), default=0)


def _keys_of(run: dict[str, Any], keys: Sequence[SegmentKey]) -> list[SegmentKey]:
    return [key for key in keys if key.epoch == run["epoch"] and key.owner == run["owner"]]
