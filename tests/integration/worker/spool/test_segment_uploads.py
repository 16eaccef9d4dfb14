"""A segment's file goes only when the object storage has all of it."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from audio.segments.segments import (
    RecordKind,
    encode_absence,
    encode_audio,
    encode_gap,
    encode_header,
    encode_track,
    read_segment,
    segment_key,
)
from sessions.ids import format_id, new_uuid
from store.database.boot_clock import SECOND_NS
from store.lifecycle.pauses import COMMIT_SECONDS
from store.objects import durable_files
from store.objects import objects as module
from store.objects.errors import StorageError
from store.objects.objects import Objects
from worker.clock.session_clock import SessionClock
from worker.spool.spool_writer import SealedSegment
from worker.spool.stored_journal import StoredJournal
from worker.spool.uploader import Uploader, upload_segment

SESSION = new_uuid()
NAME = format_id("sess", SESSION)


async def ours() -> None:
    """The storage is the right one."""


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    """A real folder."""
    return Objects.open(f"file://{tmp_path / 'objects'}")


@pytest.fixture
def segment(tmp_path: Path) -> SealedSegment:
    """A second of one track, sealed in a spool."""
    data = b"".join(
        [
            encode_header(NAME, 1, str(uuid4()), 0),
            encode_track(1, 1, identity="ann", name="", sid="TR_1", side="room"),
            encode_audio(1, 2, 0, 0, np.full(48_000, 1000, dtype=np.int16)),
        ]
    )
    path = tmp_path / "00000001.seg"
    path.write_bytes(data)
    return SealedSegment(path, segment_key(data, 1))


async def test_a_stored_segment_leaves_the_spool(objects: Objects, segment: SealedSegment) -> None:
    """The object is the file, byte for byte."""
    data = segment.path.read_bytes()
    await upload_segment(objects, ours, SESSION, segment, StoredJournal(segment.path.parent))
    assert data == await objects.get(f"spool/{NAME}/{segment.key.name}")
    assert not segment.path.exists()


async def test_the_journal_keeps_what_a_segment_names(objects: Objects, tmp_path: Path) -> None:
    """Gaps and absences are known even if the storage loses the segment."""
    pieces = [
        encode_gap(2, "gap.concealed", 480, 480, identity="ann"),
        encode_absence(3, 480, 480),
        encode_absence(4, 960, 480),
    ]
    data = b"".join([encode_header(NAME, 1, str(uuid4()), 0), encode_gap(1, "gap.rejoin", 0, 480), *pieces])
    path = tmp_path / "00000001.seg"
    path.write_bytes(data)
    await upload_segment(objects, ours, SESSION, SealedSegment(path, segment_key(data, 1)), StoredJournal(tmp_path))
    [stored] = StoredJournal.read(tmp_path).stored
    assert (stored.gaps, stored.absences) == (
        (("gap.rejoin", 0, 480, None), ("gap.concealed", 480, 960, "ann")),
        ((480, 1440),),
    )


async def test_a_segment_that_came_out_short_stays_in_the_spool(
    objects: Objects, segment: SealedSegment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage lost its end: nothing is deleted here, the torn object goes, and the next attempt stores it whole."""
    data = segment.path.read_bytes()

    def short(path: Path, blocks: Iterable[bytes], *, create_only: bool) -> None:
        durable_files.write_file(path, [b"".join(blocks)[:-1]], create_only=create_only)

    with monkeypatch.context() as fault:
        fault.setattr(module, "write_file", short)
        with pytest.raises(StorageError) as caught:
            await upload_segment(objects, ours, SESSION, segment, StoredJournal(segment.path.parent))
    assert caught.value.code == "storage.write_failed"
    assert await objects.list(f"spool/{NAME}") == []
    assert segment.path.exists()
    await upload_segment(objects, ours, SESSION, segment, StoredJournal(segment.path.parent))
    assert data == await objects.get(f"spool/{NAME}/{segment.key.name}")


async def test_an_upload_leaves_pauses_out_by_itself_and_waits_for_their_stamps(
    objects: Objects, segment: SealedSegment
) -> None:
    """Also when nobody has erased them from the file yet; a pause may be committed 2 s after its stamp."""
    started_at = datetime(2026, 11, 22, tzinfo=UTC)
    uploader = Uploader(objects, ours, SESSION, SessionClock.of_stamps(started_at), StoredJournal(segment.path.parent))
    uploader.add(segment)
    end_ns = SECOND_NS  # of the segment
    uploader.prove(end_ns + round(COMMIT_SECONDS * SECOND_NS) - 1)
    await uploader.flush()
    assert (await objects.list(f"spool/{NAME}"), uploader.waiting) == ([], 1)
    uploader.leave_out(((12_000, 36_000),))
    uploader.prove(end_ns + round(COMMIT_SECONDS * SECOND_NS))
    await uploader.flush()
    [(key, _)] = await objects.list(f"spool/{NAME}")
    spans = [
        (record.start_sample, record.end_sample)
        for record in read_segment(await objects.get(key)).records
        if record.kind == RecordKind.AUDIO
    ]
    assert (spans, uploader.waiting) == ([(0, 12_000), (36_000, 48_000)], 0)
    assert not segment.path.exists()


async def test_draining_before_the_loop_has_begun_stores_each_segment_once(
    objects: Objects, segment: SealedSegment
) -> None:
    """The loop and the drain take turns: neither takes a segment off the list that the other has stored."""
    second = SealedSegment(segment.path.with_name("00000002.seg"), segment.key)
    second.path.write_bytes(segment.path.read_bytes())
    uploader = Uploader(
        objects,
        ours,
        SESSION,
        SessionClock.of_stamps(datetime(2026, 11, 22, tzinfo=UTC)),
        StoredJournal(segment.path.parent),
    )
    for one in (segment, second):
        uploader.add(one)
    uploader.release_all()
    async with asyncio.TaskGroup() as group:
        loop = group.create_task(uploader.run())
        await uploader.drained()
        loop.cancel()
    assert uploader.waiting == 0
    assert not segment.path.exists()
    assert not second.path.exists()


async def test_a_torn_object_of_an_earlier_attempt_is_replaced(objects: Objects, segment: SealedSegment) -> None:
    """Its key says which bytes belong there."""
    data = segment.path.read_bytes()
    key = f"spool/{NAME}/{segment.key.name}"
    await objects.put_bytes(key, data[:100])
    await upload_segment(objects, ours, SESSION, segment, StoredJournal(segment.path.parent))
    assert data == await objects.get(key)
    assert not segment.path.exists()
