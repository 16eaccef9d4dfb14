"""What TRACK records say, whoever wrote them."""

import json

import pytest

from audio.segments.segment_key import SegmentKey
from audio.segments.segments import RecordKind, SegmentRecord
from audio.segments.track_tally import TrackLabel, TrackTally

KEY = SegmentKey(1, "owner", 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("document", "label"),
    [
        ({}, TrackLabel("", "", "", "room")),
        ({"identity": "ann", "side": "elsewhere"}, TrackLabel("ann", "", "", "room")),
        ({"identity": "ann", "name": "x", "sid": 7, "side": "worker"}, TrackLabel("ann", "x", "7", "worker")),
    ],
)
def test_a_label_can_be_stored(document: dict[str, object], label: TrackLabel) -> None:
    """What is missing is empty, and what is no text becomes one."""
    tally = TrackTally()
    payload = memoryview(json.dumps(document).encode())
    tally.learn(KEY, SegmentRecord(RecordKind.TRACK, 3, 0, 0, 0, 0, payload))

    assert tally.label(KEY, 3) == label
    assert tally.label(KEY, 4) == TrackLabel()
