"""Frames get their true places whatever the delivery did to their arrival."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.placing.timeline import Placed, TrackTimeline

MS = 48
FRAME = 50 * MS
TOLERANCE = 100 * MS


def frame(number: int, samples: int = FRAME) -> np.ndarray:
    """A frame that says which one it is, in every sample."""
    return np.full(samples, number, dtype=np.int16)


def starts(placed: list[Placed]) -> list[int]:
    return [one.start_sample for one in placed]


def feed(timeline: TrackTimeline, arrivals: list[int]) -> list[Placed]:
    """Push one frame per arrival, and flush."""
    placed: list[Placed] = []
    for number, arrival in enumerate(arrivals):
        placed += timeline.push(frame(number), arrival)
    return placed + timeline.flush()


def test_the_first_frame_ends_where_it_arrived() -> None:
    """Arrival of the last sample anchors the track."""
    placed = TrackTimeline().push(frame(0), 10_000)

    assert starts(placed) == [10_000 - FRAME]
    assert placed[0].arrival_sample == 10_000


def test_frames_follow_each_other_by_count() -> None:
    """Jitter within the tolerance moves nothing."""
    arrivals = [10_000, 10_000 + FRAME + 80 * MS, 10_000 + 2 * FRAME - 60 * MS]

    assert starts(feed(TrackTimeline(), arrivals)) == [7_600, 10_000, 12_400]


def test_a_stall_and_its_burst_keep_their_places() -> None:
    """Frames delivered 3 s late, all at once, lie where they were spoken."""
    on_time = [10_000 + FRAME * number for number in range(100)]
    stalled = [max(arrival, on_time[70]) if number >= 10 else arrival for number, arrival in enumerate(on_time)]

    assert starts(feed(TrackTimeline(), stalled)) == [arrival - FRAME for arrival in on_time]


def test_late_frames_are_held_until_the_window_tells() -> None:
    """While every frame is late, nothing of them is placed."""
    timeline = TrackTimeline()
    timeline.push(frame(0), FRAME)
    gap = 1000 * MS

    held = [timeline.push(frame(number), FRAME * (number + 1) + gap) for number in range(1, 11)]
    decided = timeline.push(frame(11), FRAME * 12 + gap + MS)

    assert held == [[]] * 10
    assert starts(decided) == [FRAME * number + gap for number in range(1, 12)]


def test_a_hole_in_the_track_moves_the_anchor_by_the_least_lateness() -> None:
    """Of a window that was late throughout, its promptest frame is nearest to the truth."""
    timeline = TrackTimeline()
    timeline.push(frame(0), FRAME)
    lateness_ms = [700, 640, 690, 660]
    placed: list[Placed] = []
    for number, late in enumerate(lateness_ms, start=1):
        placed += timeline.push(frame(number), FRAME * (number + 1) + late * MS)
    placed += timeline.hold_expired(FRAME * 20 + 700 * MS)

    assert starts(placed) == [FRAME * number + 640 * MS for number in range(1, 5)]


def test_held_frames_come_out_when_the_track_goes_quiet() -> None:
    """The window ends by the clock too, not only by the next frame."""
    timeline = TrackTimeline()
    timeline.push(frame(0), FRAME)
    arrival = 2 * FRAME + 2000 * MS
    timeline.push(frame(1), arrival)

    assert timeline.hold_expired(arrival + 500 * MS) == []
    assert starts(timeline.hold_expired(arrival + 500 * MS + 1)) == [FRAME + 2000 * MS]
    assert timeline.flush() == []


def test_a_flush_places_what_is_held_by_count() -> None:
    """A track that ends in the middle of a burst keeps its places."""
    timeline = TrackTimeline()
    timeline.push(frame(0), FRAME)
    timeline.push(frame(1), 2 * FRAME + 2000 * MS)

    assert starts(timeline.flush()) == [FRAME]


def test_an_early_frame_moves_the_anchor_at_once_and_is_trimmed() -> None:
    """Nothing arrives before it was spoken: the anchor was late, and what overlaps the placed is dropped, counted."""
    timeline = TrackTimeline()
    timeline.push(frame(0), 48_000)

    first = timeline.push(frame(1), 48_000 + FRAME - 120 * MS)
    second = timeline.push(frame(2), 48_000 + 2 * FRAME - 120 * MS)
    third = timeline.push(frame(3), 48_000 + 3 * FRAME - 120 * MS)

    assert first == []
    assert starts(second) == []
    assert starts(third) == [48_000]
    assert len(third[0].pcm) == 30 * MS
    assert timeline.trimmed_samples == 2 * FRAME + 20 * MS


def test_samples_before_the_session_are_trimmed() -> None:
    """Sample 0 is the start of the recording."""
    timeline = TrackTimeline()

    placed = timeline.push(frame(0), FRAME - 100)

    assert starts(placed) == [0]
    assert len(placed[0].pcm) == FRAME - 100
    assert timeline.trimmed_samples == 100


def test_an_empty_frame_is_nothing() -> None:
    """No samples, no place, no anchor."""
    timeline = TrackTimeline()

    assert timeline.push(frame(0, 0), 99) == []
    assert starts(timeline.push(frame(1), 10_000)) == [10_000 - FRAME]


@pytest.mark.parametrize("drain_ms", [0, 5, 10, 25])
def test_a_backlog_that_drains_slowly_keeps_its_places(drain_ms: int) -> None:
    """After a stall of 3 s, frames that come one every few milliseconds until they have caught up were only delayed."""
    true_ends = [10_000 + FRAME * number for number in range(300)]
    free_at = true_ends[10] + 3000 * MS
    arrivals = []
    for number, true_end in enumerate(true_ends):
        arrivals.append(true_end if number < 10 else max(true_end, free_at))
        free_at = max(free_at, arrivals[-1] + drain_ms * MS) if number >= 10 else free_at
    timeline = TrackTimeline()

    assert starts(feed(timeline, arrivals)) == [true_end - FRAME for true_end in true_ends]
    assert timeline.trimmed_samples == 0


@pytest.mark.parametrize("pcm", [np.zeros(5, dtype=np.float32), np.zeros((5, 1), dtype=np.int16)])
def test_other_samples_than_mono_int16_are_refused(pcm: np.ndarray) -> None:
    """A wrong array is a programming error, said at once."""
    with pytest.raises(ValueError, match="a frame is int16"):
        TrackTimeline().push(pcm, 48_000)


@st.composite
def deliveries(draw: st.DrawFn, with_gaps: bool) -> list[tuple[int, int]]:
    """(true start, arrival) per frame: jitter up to 80 ms, stalls up to 3 s that end in a burst, real gaps on request.

    After a stall, a gap, and at the start, delivery is on time for longer than the window.
    """
    frame_samples = draw(st.sampled_from([10 * MS, 50 * MS, 100 * MS]))
    settled = 600 * MS // frame_samples + 3
    now = draw(st.integers(100 * MS, 2000 * MS))
    frames: list[tuple[int, int]] = []
    released = 0
    events = st.sampled_from(["stall", "gap"] if with_gaps else ["stall"])
    for event in [None, *draw(st.lists(events, min_size=1, max_size=4))]:
        if event == "gap":
            now += draw(st.integers(600 * MS, 5000 * MS))
        if event == "stall":
            released = now + draw(st.integers(0, 3000 * MS))
        on_time = 0
        while on_time < settled:
            jitter = draw(st.integers(0, 80 * MS))
            on_time += now + frame_samples >= released
            arrival = max(now + frame_samples + jitter, released)
            released = max(released, arrival)
            frames.append((now, arrival))
            now += frame_samples
    return frames


def run(frames: list[tuple[int, int]]) -> tuple[TrackTimeline, list[tuple[int, Placed]]]:
    """Push the frames, each filled with its number; return what came out with those numbers."""
    timeline = TrackTimeline()
    placed: list[Placed] = []
    samples = frames[1][0] - frames[0][0]
    for number, (_, arrival) in enumerate(frames):
        placed += timeline.push(frame(number, samples), arrival)
    placed += timeline.flush()
    return timeline, [(int(one.pcm[0]), one) for one in placed]


@settings(max_examples=60)
@given(frames=deliveries(with_gaps=False))
def test_any_stalls_leave_every_frame_near_its_place(frames: list[tuple[int, int]]) -> None:
    """Every frame comes out whole, in order, within 100 ms of where it was spoken."""
    timeline, placed = run(frames)

    assert [number for number, _ in placed] == list(range(len(frames)))
    assert max(abs(one.start_sample - frames[number][0]) for number, one in placed) <= TOLERANCE
    assert timeline.trimmed_samples == 0


@settings(max_examples=60)
@given(frames=deliveries(with_gaps=True))
def test_frames_after_a_real_gap_lie_near_their_place(frames: list[tuple[int, int]]) -> None:
    """Missing frames move the later ones back to the truth, whatever stalls there were."""
    timeline, placed = run(frames)

    assert [number for number, _ in placed] == list(range(len(frames)))
    assert max(abs(one.start_sample - frames[number][0]) for number, one in placed) <= TOLERANCE
    assert timeline.trimmed_samples == 0


@given(
    frames=st.lists(st.tuples(st.integers(1, 5000), st.integers(-200_000, 200_000)), max_size=60),
    clock=st.integers(-10_000, 10_000),
)
def test_no_delivery_whatsoever_makes_frames_overlap(frames: list[tuple[int, int]], clock: int) -> None:
    """Even arrivals that make no sense give growing, disjoint places, and every sample is placed or counted."""
    timeline = TrackTimeline()
    placed: list[Placed] = []
    for number, (samples, step) in enumerate(frames):
        clock += step
        placed += timeline.push(frame(number, samples), clock)
    placed += timeline.flush()

    ends = [0, *(one.start_sample + len(one.pcm) for one in placed)]
    assert all(one.start_sample >= end for one, end in zip(placed, ends, strict=False))
    assert sum(len(one.pcm) for one in placed) + timeline.trimmed_samples == sum(samples for samples, _ in frames)


def test_the_tolerance_itself_moves_nothing() -> None:
    """100 ms late and 100 ms early follow by count at once; a sample more is late, or moves the anchor."""
    for late, expected in [
        (TOLERANCE, [0]),
        (TOLERANCE + 1, []),
        (-TOLERANCE, [0]),
        (-TOLERANCE - 1, [-TOLERANCE - 1]),
    ]:
        timeline = TrackTimeline()
        timeline.push(frame(0), 48_000)

        placed = timeline.push(frame(1, 3 * FRAME), 48_000 + 3 * FRAME + late)

        ends = [one.start_sample + len(one.pcm) - 3 * FRAME - 48_000 for one in placed]
        assert ends == expected


def test_a_rate_scales_the_tolerance_and_the_window() -> None:
    """At 16 kHz 100 ms are 1600 samples, and 500 ms 8000."""
    timeline = TrackTimeline(16_000)
    timeline.push(frame(0, 160), 16_000)
    assert len(timeline.push(frame(1, 160), 16_160 + 1600)) == 1
    assert timeline.push(frame(2, 160), 16_320 + 1601) == []
    assert timeline.hold_expired(16_320 + 1601 + 8000) == []
    assert starts(timeline.hold_expired(16_320 + 1601 + 8001)) == [16_160 + 1601]


def test_held_frames_keep_when_they_arrived() -> None:
    """Being decided late is not arriving late."""
    timeline = TrackTimeline()
    timeline.push(frame(0), FRAME)
    arrivals = [2 * FRAME + 2000 * MS, 3 * FRAME + 2000 * MS]
    for number, arrival in enumerate(arrivals, 1):
        timeline.push(frame(number), arrival)

    assert [one.arrival_sample for one in timeline.flush()] == arrivals


@pytest.mark.parametrize(("shrunk_ms", "drains"), [(100, False), (101, True)])
def test_a_backlog_drains_while_its_lateness_shrinks_by_more_than_the_tolerance(shrunk_ms: int, drains: bool) -> None:
    """Within one window; else the frames were late, and samples are missing."""
    timeline = TrackTimeline()
    timeline.push(frame(0), FRAME)
    for number, late_ms in enumerate([2000, 1970, 1940, 2000 - shrunk_ms], 1):
        timeline.push(frame(number), (number + 1) * FRAME + late_ms * MS)

    placed = timeline.hold_expired(2 * FRAME + 2500 * MS + 1)

    assert starts(placed) == ([] if drains else [number * FRAME + 1900 * MS for number in range(1, 5)])


@pytest.mark.parametrize(("frames", "held"), [(50, True), (51, False)])
def test_a_backlog_is_held_for_five_seconds_at_most(frames: int, held: bool) -> None:
    """One that drains for longer is taken for lateness: memory is bounded."""
    step = 100 * MS
    timeline = TrackTimeline()
    timeline.push(frame(0, 200 * MS), 200 * MS)
    placed: list[Placed] = []
    for number in range(frames + 1):
        placed += timeline.push(frame(number, 200 * MS), 20_000 * MS + number * step)
    placed += timeline.hold_expired(20_000 * MS + frames * step)

    assert (placed == []) is held
