"""A track that ends while its jitter buffer still holds what was said."""

from datetime import UTC, datetime

import numpy as np
import pytest

from audio.ranges import Range
from store.database.boot_clock import SECOND_NS
from store.database.clock import ClockPair
from worker.capture.room_track import RoomTrack
from worker.clock.session_clock import SessionClock
from worker.room.room_reading import TrackReading

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
FRAME = 4800


@pytest.mark.parametrize(("waited", "unplayed"), [(0.64, [(48_000 * 4 // 10, 48_000)]), (0.24, []), (0.04, [])])
def test_what_nobody_plays_any_more_is_named(waited: float, unplayed: list[Range]) -> None:
    """It was said right before whoever said it left; less than 0.2 s is not named, as at the session's end."""
    track = RoomTrack(1, "TR_a", "ann", SessionClock(STARTED, ClockPair(STARTED, 0, 0)), lambda: None)
    for step in range(1, 11):
        at_ns = step * SECOND_NS // 10
        track.is_clear(at_ns, FRAME)
        track.push(at_ns, np.ones(FRAME, dtype=np.int16))
        emitted = step * FRAME
        packets = 5 * step + round(waited * 50)
        track.read(TrackReading(0, emitted, waited * emitted, packets, 0), at_ns)
    assert track.close().made_up == unplayed


def test_a_track_that_nobody_heard_lacks_nothing() -> None:
    """It ends before its first frame."""
    track = RoomTrack(1, "TR_a", "ann", SessionClock(STARTED, ClockPair(STARTED, 0, 0)), lambda: None)
    assert track.close().made_up == []
