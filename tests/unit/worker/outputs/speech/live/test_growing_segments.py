"""What is new of a recording, from files and storage that change under the reader: each record once, in order."""

from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from audio.segments.segments import encode_audio, encode_header, encode_track, segment_key
from worker.outputs.speech.live import growing_segments
from worker.outputs.speech.live.growing_segments import GrowingSegments

OWNER = "6f1c0000-0000-4000-8000-000000000001"
OTHER = "6f1c0000-0000-4000-8000-000000000002"
PREFIX = "spool/sess_1"


class Recording:
    """A session's spool on this host, and its storage."""

    def __init__(self, folder: Path) -> None:
        self.session_id: UUID = uuid4()
        self.spool = folder
        self.stored: dict[str, bytes] = {}
        self.record = 0

    def segment(self, *starts: int, epoch: int = 1, owner: str = OWNER) -> bytes:
        """A segment with 100 samples at each of these positions."""
        data = encode_header("sess_1", epoch, owner, 0) + self._track()
        return data + b"".join(self.audio(start) for start in starts)

    def audio(self, start: int) -> bytes:
        """A record."""
        self.record += 1
        return encode_audio(1, self.record, start, start, np.zeros(100, dtype=np.int16))

    def _track(self) -> bytes:
        self.record += 1
        return encode_track(1, self.record, identity="ann", name="", sid="TR_1", side="room")

    def path(self, name: str, epoch: int = 1, owner: str = OWNER) -> Path:
        """Of a file of a run."""
        folder = self.spool / owner / str(self.session_id) / str(epoch)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def seal(self, number: int, data: bytes) -> Path:
        """Put a sealed segment into the spool."""
        path = self.path(segment_key(data, number).name.rpartition("/")[2])
        path.write_bytes(data)
        return path

    def store(self, number: int, data: bytes) -> None:
        """Put one into the storage."""
        self.stored[f"{PREFIX}/{segment_key(data, number).name}"] = data

    def reader(self, from_sample: int = 0) -> GrowingSegments:
        """Somebody who has read nothing yet."""
        return GrowingSegments(self.spool, self.session_id, from_sample)

    def starts(self, reader: GrowingSegments) -> list[int]:
        """Where the audio begins that is new."""
        found = []
        for new in reader.read(self.stored.__getitem__):
            found += [record.start_sample for record in new.records if record.num_samples]
        return found


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Nothing yet."""
    return Recording(tmp_path)


def test_an_open_segment_is_read_as_it_grows(recording: Recording) -> None:
    """Whole records only; what is sealed and stored meanwhile is read on where it was left."""
    reader = recording.reader()
    assert recording.starts(reader) == []
    data = recording.segment(0, 100)
    path = recording.path("00000001.open")
    path.write_bytes(data[:10])
    assert recording.starts(reader) == []
    path.write_bytes(data[:-7])
    assert recording.starts(reader) == [0]
    data += recording.audio(200)
    path.write_bytes(data)
    assert recording.starts(reader) == [100, 200]
    assert reader.is_local
    data += recording.audio(300)
    path.unlink()
    sealed = recording.seal(1, data)
    recording.path("00000002.open").write_bytes(recording.segment(400))
    assert recording.starts(reader) == [300, 400]
    sealed.unlink()
    assert recording.starts(reader) == []
    assert not reader.lost


def test_what_left_the_spool_before_it_was_read_is_read_from_the_storage(recording: Recording) -> None:
    """It is asked for, and nothing behind it is read before."""
    reader = recording.reader()
    recording.path("00000002.open").write_bytes(recording.segment(500))
    assert recording.starts(reader) == []
    assert (reader.wants_stored, reader.is_caught_up) == (True, False)
    recording.record = 0
    recording.store(1, recording.segment(0))
    recording.path("00000002.open").write_bytes(recording.segment(500))
    reader.note_stored(PREFIX, recording.stored)
    assert recording.starts(reader) == [0, 500]
    assert reader.is_caught_up


def test_a_segment_that_never_comes_is_given_up(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, and that is said; a damaged one as well."""
    monkeypatch.setattr(growing_segments, "_MISSING_SECONDS", -1.0)
    reader = recording.reader()
    recording.store(2, recording.segment(500))
    reader.note_stored(PREFIX, recording.stored)
    assert recording.starts(reader) == []
    assert recording.starts(reader) == []
    assert reader.lost
    assert recording.starts(reader) == [500]
    damaged = recording.reader()
    recording.store(1, recording.segment(0))
    recording.stored = {key: b"x" * 99 if "-0000000000000-" in key else data for key, data in recording.stored.items()}
    damaged.note_stored(PREFIX, recording.stored)
    assert recording.starts(damaged) == [500]
    assert damaged.lost


def test_runs_are_read_one_after_the_other_a_few_segments_at_a_time(recording: Recording) -> None:
    """What an earlier follower has done is passed over without being fetched."""
    for number in range(1, 7):
        recording.store(number, recording.segment(1000 * number))
    recording.record = 0
    recording.path("00000001.open", epoch=2, owner=OTHER).write_bytes(recording.segment(9000, epoch=2, owner=OTHER))
    reader = recording.reader(from_sample=2500)
    reader.note_stored(PREFIX, recording.stored)
    recording.stored = {key: data for key, data in recording.stored.items() if "-0000000001000-" not in key}
    assert recording.starts(reader) == [3000, 4000, 5000, 6000]
    assert not reader.is_caught_up
    assert recording.starts(reader) == [9000]
    assert (reader.is_caught_up, reader.is_local) == (True, True)


@pytest.mark.parametrize("left", [0, 40, -1])
def test_a_stored_segment_that_is_cut_off_is_lost(recording: Recording, left: int) -> None:
    """What is good of it is heard; the job at the end hears all of it again."""
    recording.store(1, recording.segment(0, 100))
    [name] = recording.stored
    recording.stored[name] = recording.stored[name][:left]
    reader = recording.reader()
    reader.note_stored(PREFIX, recording.stored)
    assert recording.starts(reader) == ([0] if left == -1 else [])
    assert reader.lost
