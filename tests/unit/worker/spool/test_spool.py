"""What is on the disk, whatever happened."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from audio.placing.timeline import Placed
from audio.segments.segments import RecordKind, read_segment
from audio.segments.track_tally import TrackLabel
from sessions.errors import ParleyError
from store.runs.fence import Fence
from worker.spool.run_folder import RunFolder
from worker.spool.run_spool import RunSpool
from worker.spool.spool_folder import abandoned_spools, open_spool_folder
from worker.spool.spool_writer import SealedSegment, SpoolWriter

SESSION = uuid4()
BLOCK = np.arange(4800, dtype=np.int16)


class Desk:
    """A run's spool and what it reported."""

    def __init__(self, writer: SpoolWriter, folder: Path, owner: UUID, segment_seconds: float = 1) -> None:
        self.sealed: list[SealedSegment] = []
        self.failures: list[str] = []
        self.folder = RunFolder.open(folder, Fence(SESSION, 3, owner))
        self.spool = RunSpool(
            writer,
            self.folder,
            segment_seconds=segment_seconds,
            on_sealed=self.sealed.append,
            on_failed=self.failures.append,
        )
        self.spool.add_track(1, TrackLabel("ann", "", "TR_1"))

    def write(self, blocks: int, start: int = 0) -> None:
        for number in range(start, start + blocks):
            self.spool.audio(1, Placed(number * 4800, (number + 1) * 4800, BLOCK))


async def test_every_segment_names_its_tracks_and_its_bytes(tmp_path: Path) -> None:
    """Each file alone tells what it is, and its name fits its content."""
    owner = uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter() as writer:
        desk = Desk(writer, folder, owner)
        desk.write(25)
        await desk.spool.close()
        await asyncio.sleep(0)
        assert len(desk.sealed) == 3
        for segment in desk.sealed:
            data = segment.path.read_bytes()
            records = read_segment(data).records
            assert records[0].document["identity"] == "ann"
            assert segment.key.size_bytes == len(data)
            assert segment.key.first_sample == records[1].start_sample
            assert segment.key.last_sample == records[-1].end_sample


async def test_no_text_of_a_segment_has_nul(tmp_path: Path) -> None:
    """Participants may have it in their names; no JSON of a database takes it."""
    owner = uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter() as writer:
        desk = Desk(writer, folder, owner)
        desk.spool.add_track(1, TrackLabel("a\0nn", "\0", "TR\0", speaker="A\0nn"))
        desk.write(1)
        desk.spool.gap("gap.concealed", 0, 960, "a\0nn")
        await desk.spool.close()
        await asyncio.sleep(0)
        [segment] = desk.sealed
        records = read_segment(segment.path.read_bytes()).records
    track, gap = (record.document for record in records if record.kind != RecordKind.AUDIO)
    shown = {"identity": "a\ufffdnn", "name": "\ufffd", "sid": "TR\ufffd", "speaker": "A\ufffdnn"}
    assert track == {"track": 1, "side": "room", **shown}
    assert gap == {"code": "gap.concealed", "identity": "a\ufffdnn"}


async def test_a_segment_is_sealed_ahead_of_a_beat_once_it_is_half_as_old_as_it_may_become(tmp_path: Path) -> None:
    """A younger one waits for the beat after that."""
    owner = uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter() as writer:
        desk = Desk(writer, folder, owner, segment_seconds=1)
        desk.write(4)
        desk.spool.ripe(4 * 4800)
        desk.write(1, start=4)
        desk.spool.ripe(6 * 4800)
        desk.write(1, start=6)
        await desk.spool.close()
        await asyncio.sleep(0)
    assert [segment.key.last_sample for segment in desk.sealed] == [5 * 4800, 7 * 4800]


async def test_bytes_reach_the_kernel_before_a_segment_is_sealed(tmp_path: Path) -> None:
    """A kill loses a fraction of a second, not the segment."""
    owner = uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter(write_seconds=0.01) as writer:
        desk = Desk(writer, folder, owner, segment_seconds=60)
        desk.write(5)
        await asyncio.to_thread(writer.flush, timeout_seconds=5)
        (path,) = desk.folder.path.glob("*.open")
        assert sum(r.num_samples for r in read_segment(path.read_bytes()).records) == 5 * 4800
        await desk.spool.close()


async def test_a_live_process_s_folder_is_not_abandoned(tmp_path: Path) -> None:
    """Its lock is held; afterwards it is free, and an empty folder is gone."""
    with open_spool_folder(tmp_path, uuid4()):
        assert list(abandoned_spools(tmp_path)) == []
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_torn_tail_is_cut_and_the_rest_recovered(tmp_path: Path) -> None:
    """As after a kill -9 in the middle of a write."""
    owner = uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter(write_seconds=0.01) as writer:
        desk = Desk(writer, folder, owner)
        desk.write(14)
        await asyncio.to_thread(writer.flush, timeout_seconds=5)
        (path,) = desk.folder.path.glob("*.open")
        with path.open("ab") as file:
            file.write(b"\x02\x00torn")
    (spool,) = abandoned_spools(tmp_path)
    (run,) = spool.runs()
    found = run.recover()
    assert (spool.owner, run.session_id, run.epoch) == (owner, SESSION, 3)
    assert [(s.key.first_sample, s.key.last_sample) for s in found] == [(0, 48_000), (48_000, 67_200)]
    assert [s.key.size_bytes for s in found] == [s.path.stat().st_size for s in found]
    assert run.recover() == found
    for segment in found:
        segment.path.unlink()
    run.remove_if_empty()
    assert spool.remove_if_empty()


async def test_a_full_disk_keeps_whole_records_and_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """storage.full; what was there before is sealed."""
    owner, write = uuid4(), os.write

    def half(fd: int, data: Any) -> int:
        if len(data) > 5000:
            return write(fd, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter(write_seconds=0.01) as writer:
        desk = Desk(writer, folder, owner, segment_seconds=60)
        desk.write(3)
        await asyncio.to_thread(writer.flush, timeout_seconds=5)
        monkeypatch.setattr(os, "write", lambda fd, data: half(fd, data[:5000] if len(data) < 6000 else data))
        desk.write(2, start=3)
        await asyncio.to_thread(writer.flush, timeout_seconds=5)
        monkeypatch.setattr(os, "write", lambda fd, data: half(fd, b""))
        desk.write(2, start=5)
        await asyncio.to_thread(writer.flush, timeout_seconds=5)
        monkeypatch.undo()
        desk.spool.watch()
        await desk.spool.close()
        await asyncio.sleep(0.05)
    assert desk.failures == ["storage.full"]
    (segment,) = desk.sealed
    read = read_segment(segment.path.read_bytes())
    assert (read.torn, sum(r.num_samples for r in read.records)) == (False, 3 * 4800)


async def test_a_full_queue_drops_audio_counts_it_and_leaves_a_gap(tmp_path: Path) -> None:
    """Control is never dropped."""
    owner = uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter(queue_bytes=25_000, write_seconds=3600) as writer:
        desk = Desk(writer, folder, owner, segment_seconds=60)
        desk.write(6)
        await asyncio.to_thread(writer.flush, timeout_seconds=5)
        desk.write(1, start=6)
        await desk.spool.close()
        await asyncio.sleep(0.05)
    records = read_segment(desk.sealed[0].path.read_bytes()).records
    (gap,) = [r for r in records if r.kind == RecordKind.GAP]
    assert writer.dropped_records == 4
    assert (gap.document["code"], gap.start_sample, gap.end_sample) == ("gap.storage", 2 * 4800, 6 * 4800)


async def test_a_spool_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """A file where the folder should be."""
    owner = uuid4()
    with open_spool_folder(tmp_path, owner) as folder, SpoolWriter() as writer:
        (folder / str(SESSION)).write_text("")
        with pytest.raises(ParleyError) as caught:
            Desk(writer, folder, owner)
    assert caught.value.code == "storage.write_failed"
