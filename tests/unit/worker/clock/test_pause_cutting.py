"""Pauses on a session's clock: out of segments, out of files, and no idleness."""

import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from audio.segments.segments import (
    RecordKind,
    encode_audio,
    encode_gap,
    encode_header,
    encode_track,
    read_segment,
    segment_key,
)
from store.lifecycle.pauses import Pause
from worker.clock.pause_ranges import END_OF_TIME, pause_ranges
from worker.clock.session_clock import SessionClock
from worker.room.events import AudioPublished, AudioUnpublished
from worker.room.presence import RoomPresence
from worker.spool.segment_cutting import cut_segment, rewrite_segment
from worker.spool.spool_writer import SealedSegment

SECOND = 1_000_000_000
STARTED = datetime(2026, 11, 22, tzinfo=UTC)
CLOCK = SessionClock.of_stamps(STARTED)


def at(seconds: float) -> datetime:
    return STARTED + timedelta(seconds=seconds)


def segment_bytes() -> bytes:
    """Two seconds of a constant from 1 s on, and a gap."""
    return b"".join(
        [
            encode_header("sess_1", 1, "owner", 48_000),
            encode_track(1, 1, identity="ann", name="", sid="TR", side="room"),
            encode_audio(1, 2, 48_000, 48_000, np.full(96_000, 7, np.int16)),
            encode_gap(3, "gap.concealed", 60_000, 1000),
        ]
    )


def stored(folder: Path) -> SealedSegment:
    data = segment_bytes()
    key = segment_key(data, 1)
    path = folder / key.name.rpartition("/")[2]
    path.write_bytes(data)
    return SealedSegment(path, key)


def test_pauses_become_ranges_of_samples_and_an_open_one_has_no_end() -> None:
    """A pause before sample 0 begins there."""
    pauses = [Pause(at(-1), at(1)), Pause(at(2), at(2.5)), Pause(at(4), None)]
    assert pause_ranges(pauses, CLOCK) == ((0, 48_000), (96_000, 120_000), (192_000, END_OF_TIME))


def test_a_segment_loses_what_lies_in_a_pause_on_its_way() -> None:
    """The rest keeps its place; the key tells the new bytes."""
    data = segment_bytes()
    cut = cut_segment(data, segment_key(data, 1), None, ((60_000, 72_000),))
    records = [(r.kind, r.start_sample, r.end_sample) for r in read_segment(cut[0]).records if r.kind != 1]
    assert records == [(RecordKind.AUDIO, 48_000, 60_000), (RecordKind.AUDIO, 72_000, 144_000)]
    assert (cut[1].crc32, cut[1].size_bytes) == (zlib.crc32(cut[0]), len(cut[0]))
    assert cut_segment(data, segment_key(data, 1), None, ((0, 48_000),)) == (data, segment_key(data, 1))
    nothing, key = cut_segment(data, segment_key(data, 1), None, ((0, END_OF_TIME),))
    assert (read_segment(nothing).records, key.sequence, key.has_audio) == ([], 1, False)


def test_a_file_is_rewritten_without_the_pause(tmp_path: Path) -> None:
    """Under its new name; nothing else is left in the folder."""
    kept = rewrite_segment(stored(tmp_path), ((72_000, END_OF_TIME),))
    assert [kept.path] == list(tmp_path.iterdir())
    assert (kept.key.first_sample, kept.key.last_sample) == (48_000, 72_000)
    assert zlib.crc32(kept.path.read_bytes()) == kept.key.crc32
    emptied = rewrite_segment(kept, ((0, END_OF_TIME),))
    assert [emptied.path] == list(tmp_path.iterdir())
    assert read_segment(emptied.path.read_bytes()).records == []


def test_idleness_stands_still_while_the_session_is_paused() -> None:
    """What had been collected counts on afterwards."""
    presence = RoomPresence(30)
    presence.entered(0)
    presence.hold(True, 10 * SECOND)
    presence.hold(True, 20 * SECOND)
    assert presence.idle_deadline_ns() is None
    presence.hold(False, 100 * SECOND)
    assert presence.idle_deadline_ns() == 120 * SECOND


def test_tracks_that_come_and_go_in_a_pause_are_known_after_it() -> None:
    """Idle again only when the last one has gone."""
    presence = RoomPresence(30)
    presence.entered(0)
    presence.hold(True, SECOND)
    presence.take(AudioPublished("t1", "ann"), 2 * SECOND)
    presence.hold(False, 3 * SECOND)
    assert presence.idle_deadline_ns() is None
    presence.hold(True, 4 * SECOND)
    presence.take(AudioUnpublished("t1"), 5 * SECOND)
    assert presence.idle_deadline_ns() is None
    presence.hold(False, 9 * SECOND)
    assert presence.idle_deadline_ns() == 39 * SECOND
