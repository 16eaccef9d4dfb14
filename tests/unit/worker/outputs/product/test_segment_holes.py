"""Whatever is missing in the object storage is a gap, exactly as long as what is missing."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audio.building.build import BuildPlan, Gap, SegmentKey, build_recording
from audio.pcm import SAMPLE_RATE
from audio.ranges import Range, kept_ranges, merged_ranges
from audio.segments.gaps import GAP_STORAGE, gaps_in_ms
from audio.segments.segments import encode_audio, encode_gap, encode_header, encode_track, segment_key
from store.runs.run_segments import RunSegments, StoredSegment
from worker.clock.session_clock import SessionClock
from worker.outputs.product.segment_holes import needed_segments, unknown_segments

STARTED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = SessionClock.of_stamps(STARTED_AT)
PREFIX = "spool/sess_1"
FRAME = SAMPLE_RATE // 100

lengths = st.lists(st.integers(1, 40), min_size=1, max_size=6)  # of segments, in frames of 10 ms


class Past:
    """Segments that were stored, and runs as the freeze finds them; times in frames of 10 ms."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.keys: dict[str, SegmentKey] = {}
        self.runs: list[dict[str, Any]] = []

    def run(self, joined: int, lengths: list[int], *, sealed: bool = True, count: int | None = None) -> list[str]:
        """A run that recorded segments of these lengths one after the other; their storage keys."""
        epoch, start, stored = len(self.runs) + 1, joined * FRAME, []
        for number, frames in enumerate(lengths, 1):
            samples = np.full(frames * FRAME, 1000, dtype=np.int16)
            data = b"".join(
                [
                    encode_header("sess_1", epoch, "owner", start),
                    encode_track(1, 1, identity="ann", name="", sid="TR_1", side="room"),
                    encode_audio(1, 2, start, start, samples),
                ]
            )
            key = segment_key(data, number)
            stored.append(f"{PREFIX}/{key.name}")
            self.objects[stored[-1]] = data
            self.keys[stored[-1]] = key
            start += len(samples)
        document = RunSegments(
            len(lengths) if count is None else count,
            tuple(StoredSegment(key.removeprefix(f"{PREFIX}/")) for key in stored),
        )
        self.runs.append(
            {
                "epoch": epoch,
                "owner": "owner",
                "joined_at": (STARTED_AT + timedelta(milliseconds=10 * joined)).isoformat(),
                "beat_at": (STARTED_AT + timedelta(seconds=start / SAMPLE_RATE)).isoformat(),
                "sealed": sealed,
                "segments": document.document if sealed else RunSegments().document,
            }
        )
        return stored

    def gaps(self, frames: int, cuts: tuple[Range, ...] = ()) -> list[tuple[int, int]]:
        """What a recording of so many frames says is missing, in ms; all of it is the storage's."""
        listed = [{"name": key.removeprefix(f"{PREFIX}/"), "storage_key": key} for key in self.objects]
        segments = needed_segments(listed, self.runs, PREFIX)
        unknown = unknown_segments(self.runs, [one.key for one in segments], CLOCK, frames * FRAME)
        plan = BuildPlan(tuple(segments), frames * FRAME, cuts=cuts, gaps=tuple(unknown))
        found = build_recording(plan, self.objects.__getitem__, io.BytesIO()).gaps
        return [(gap["start_ms"], gap["end_ms"]) for gap in found if gap["code"] == GAP_STORAGE]


def in_ms(ranges: Iterable[Range], frames: int) -> list[tuple[int, int]]:
    """Ranges of samples as gaps show them."""
    found = gaps_in_ms([Gap(start, end, GAP_STORAGE) for start, end in ranges], frames * FRAME)
    return [(gap["start_ms"], gap["end_ms"]) for gap in found]


@given(lengths, st.data())
def test_whatever_a_sealed_run_stored_and_the_storage_lost_is_exactly_the_gap(
    lengths: list[int], data: st.DataObject
) -> None:
    """Any segments may go: one, some, all; a stretch that was paused is not missing."""
    past, frames = Past(), sum(lengths)
    removed = data.draw(st.sets(st.sampled_from(past.run(0, lengths))))
    pause = data.draw(st.tuples(st.integers(0, frames), st.integers(0, frames)).map(sorted))
    cuts = tuple(merged_ranges([(pause[0] * FRAME, pause[1] * FRAME)]))
    for key in removed:
        del past.objects[key]
    missing = [
        kept for key in removed for kept in kept_ranges(past.keys[key].first_sample, past.keys[key].last_sample, cuts)
    ]
    assert in_ms(missing, frames) == past.gaps(frames, cuts)


@given(lengths, lengths, st.integers(0, 20), st.data())
def test_after_a_takeover_each_run_answers_for_its_own_time(
    first: list[int], second: list[int], handover: int, data: st.DataObject
) -> None:
    """The higher epoch wins from its first sample, whether that is still there or not."""
    past, frames = Past(), sum(first) + sum(second)
    joined = max(sum(first) - handover, 0)
    keys = [*past.run(0, first), *past.run(joined, second)]
    removed = data.draw(st.sets(st.sampled_from(keys)))
    for key in removed:
        del past.objects[key]
    missing = [
        (gone.first_sample, gone.last_sample if gone.epoch == 2 else min(gone.last_sample, joined * FRAME))
        for gone in (past.keys[key] for key in removed)
    ]
    assert in_ms([(start, end) for start, end in missing if start < end], frames) == past.gaps(frames)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6), st.data())
def test_a_hole_in_the_numbers_of_a_run_that_was_never_sealed_is_the_gap(
    lengths: list[int], data: st.DataObject
) -> None:
    """Its host was lost. What is behind the last number in the list is not known from numbers."""
    past, frames = Past(), sum(lengths)
    keys = past.run(0, lengths, sealed=False)
    removed = data.draw(st.sets(st.sampled_from(keys[:-1])))
    for key in removed:
        del past.objects[key]
    missing = [(past.keys[key].first_sample, past.keys[key].last_sample) for key in removed]
    assert in_ms(missing, frames) == past.gaps(frames)


def test_a_segment_that_was_begun_and_never_stored_is_a_gap_up_to_the_last_beat() -> None:
    """The disk refused to seal the third one."""
    past = Past()
    past.run(0, [100, 100], count=3)
    past.runs[0]["beat_at"] = (STARTED_AT + timedelta(seconds=2.5)).isoformat()
    assert past.gaps(300) == [(2000, 2500)]


def test_numbers_of_an_older_release_say_nothing() -> None:
    """It left some out on purpose."""
    past = Past()
    _, second, _ = past.run(0, [10, 10, 10], sealed=False)
    past.runs[0]["segments"] = None
    del past.objects[second]
    assert past.gaps(30) == []


def test_what_a_lost_segment_named_is_known_without_it() -> None:
    """A rejoin, which is the transport's, who was not heard, and that nobody was there."""
    past = Past()
    past.run(0, [10])
    data = encode_header("sess_1", 1, "owner", 10 * FRAME) + encode_gap(1, "gap.rejoin", 10 * FRAME, 20 * FRAME)
    named = (("gap.rejoin", 10 * FRAME, 30 * FRAME, None), ("gap.encrypted", 20 * FRAME, 30 * FRAME, "ann"))
    stored = StoredSegment(segment_key(data, 2).name, named, ((20 * FRAME, 30 * FRAME),))
    document = RunSegments.of(past.runs[0]["segments"])
    past.runs[0]["segments"] = RunSegments(2, (*document.stored, stored)).document
    segments = needed_segments([], past.runs, PREFIX)
    result = build_recording(BuildPlan(tuple(segments), 30 * FRAME), past.objects.__getitem__, io.BytesIO())
    assert result.gaps == [
        {"start_ms": 100, "end_ms": 300, "code": "gap.rejoin"},
        {"start_ms": 200, "end_ms": 300, "code": "gap.encrypted", "identity": "ann"},
    ]
    assert result.absences == [{"start_ms": 200, "end_ms": 300}]
