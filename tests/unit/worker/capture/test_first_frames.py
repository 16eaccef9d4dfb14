"""Where the first frames of a track lie when its jitter buffer is new."""

from datetime import UTC, datetime

import numpy as np
import pytest

from audio.placing.timeline import Placed
from store.database.boot_clock import SECOND_NS
from store.database.clock import ClockPair
from worker.capture.room_track import RoomTrack
from worker.clock.session_clock import SessionClock
from worker.room.room_reading import TrackReading

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
FRAME_MS = 100
REST_MS = 40


def heard_from(waited_ms: list[int], *, goes_on: bool = True, read_every_ms: int = 150) -> tuple[list[Placed], int]:
    """A track whose first frame comes at 1000 ms; each reading, from then on, says how long what was played waited.

    Returns what was placed, and after how many milliseconds something was.
    """
    clock = SessionClock(STARTED, ClockPair(STARTED, 0, 0))
    track = RoomTrack(1, "TR_a", "ann", clock, lambda: None, goes_on)
    placed: list[Placed] = []
    waited_seconds, emitted, after_ms, received_ms = 0.0, 0, 0, waited_ms[-1]
    for now_ms in range(1000, 3000, 10):
        now_ns = now_ms * SECOND_NS // 1000
        if now_ms % FRAME_MS == 0:
            pcm = np.ones(48 * FRAME_MS, dtype=np.int16)
            track.is_clear(now_ns, len(pcm))
            placed += track.push(now_ns, pcm)
        if waited_ms and (now_ms - 1000) % read_every_ms == 0:
            played = 48 * (FRAME_MS if emitted == 0 else read_every_ms)
            emitted, waited_seconds = emitted + played, waited_seconds + played * waited_ms[0] / 1000
            packets = (emitted // 48 + received_ms) // 20
            placed += track.read(TrackReading(0, emitted, waited_seconds, packets, 0), now_ns).placed
            del waited_ms[0]
        placed += track.tick(now_ns)
        if not placed:
            after_ms = now_ms + 10 - 1000
    return placed, after_ms


@pytest.mark.parametrize(("waited_ms", "late_ms"), [([57, 138, 190], 150), ([40, 60, 99], 0)])
def test_they_wait_for_three_readings_of_a_new_jitter_buffer(waited_ms: list[int], late_ms: int) -> None:
    """The first two know nothing yet of packets that waited in the socket (the first case was measured)."""
    placed, after_ms = heard_from(waited_ms)
    assert placed[0].start_sample == 48 * (1000 - FRAME_MS - late_ms)
    assert after_ms == 300
    follow = [one.start_sample + len(one.pcm) for one in placed[:-1]]
    assert [one.start_sample for one in placed[1:]] == follow


def test_they_do_not_wait_for_ever() -> None:
    """Nobody answers, so they lie where they came, and those behind them do not wait at all."""
    placed, after_ms = heard_from([57])
    assert (placed[0].start_sample, placed[-1].start_sample) == (48 * (1000 - FRAME_MS), 48 * (2900 - FRAME_MS))
    assert 1500 <= after_ms <= 1520


def test_those_of_somebody_new_do_not_wait() -> None:
    """Nothing says where speech was before."""
    placed, after_ms = heard_from([57, 138, 190], goes_on=False)
    assert (placed[0].start_sample, after_ms) == (48 * (1000 - FRAME_MS), 0)


def test_a_track_is_heard_from_where_its_first_frame_begins() -> None:
    """An outage's gap ends there."""
    track = RoomTrack(1, "TR_a", "ann", SessionClock(STARTED, ClockPair(STARTED, 0, 0)), lambda: None)
    for now_ms in (1000, 1100):
        pcm = np.ones(48 * FRAME_MS, dtype=np.int16)
        track.is_clear(now_ms * SECOND_NS // 1000, len(pcm))
        track.push(now_ms * SECOND_NS // 1000, pcm)
    assert track.heard is not None
    assert (track.heard.first_ns, track.heard.last_ns) == (9 * SECOND_NS // 10, 11 * SECOND_NS // 10)
