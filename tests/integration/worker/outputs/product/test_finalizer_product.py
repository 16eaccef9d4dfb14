"""From segments in object storage to a committed recording, on a real database and a real folder."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import soundfile

from audio.pcm import SAMPLE_RATE
from audio.segments.segments import encode_audio, encode_header, encode_track, segment_key
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.stop import Stop
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.outputs.output_keys import beside
from store.outputs.transcripts import Closing, Transcripts
from store.runs.fence import Fence
from tests.support.running.engine import Engine
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.finalizer import Finalizer

LEVEL = 8000


@dataclass
class Workshop:
    """An engine, a storage and a finalizer; `salvage_seconds` is 60."""

    engine: Engine
    objects: Objects
    folder: Path

    def finalizer(self, salvage_seconds: float = 60) -> Finalizer:
        return Finalizer(
            self.engine.freezes,
            self.objects,
            StorageIdentity(self.engine.db, self.objects).confirm,
            Leftovers(self.engine.db, self.objects),
            temporary=self.folder / "tmp",
            salvage_seconds=salvage_seconds,
        )

    async def close_transcript(self, session_id: UUID) -> None:
        """As the transcript's job does when it has read the segments."""
        assert await Transcripts(self.engine.db).close(session_id, Closing(), "key")

    async def store_second(self, fence: Fence, sequence: int, first_second: float) -> str:
        """Upload one second of a constant as this run would; returns the storage key."""
        name = format_id("sess", fence.session_id)
        start = round(first_second * SAMPLE_RATE)
        data = b"".join(
            [
                encode_header(name, fence.epoch, str(fence.owner), start),
                encode_track(1, 1, identity="alice", name="", sid="TR_1", side="room"),
                encode_audio(1, 2, start, start, np.full(SAMPLE_RATE, LEVEL, dtype=np.int16)),
            ]
        )
        key = f"spool/{name}/{segment_key(data, sequence).name}"
        await self.objects.put_create(key, data)
        return key

    async def end_after(self, fence: Fence, seconds: float) -> None:
        """Put the session into `ending`, as if it had run exactly so long."""
        await self.engine.pass_seconds(seconds + 1)
        started_at = (await self.engine.session(fence.session_id)).started_at
        assert started_at is not None
        at = started_at + timedelta(seconds=seconds)
        await self.engine.runs.enter_ending(fence, Stop.ended("end.requested", at=at))

    async def wav(self, session_id: UUID) -> tuple[bytes, np.ndarray]:
        """The stored file, and its samples of shape (n,)."""
        data = await self.objects.get(str((await self.recording(session_id))["object_key"]))
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
        assert rate == SAMPLE_RATE
        return data, samples

    async def recording(self, session_id: UUID) -> dict[str, object]:
        """The row of the recording and the session's state of it."""
        [row] = await self.engine.sql(
            "SELECT r.*, s.recording_state, s.recording_reason FROM recordings r JOIN sessions s ON s.id = r.session_id"
            " WHERE s.id = :id",
            id=session_id,
        )
        return dict(row._mapping)


@pytest.fixture
async def workshop(database_url: str, tmp_path: Path) -> AsyncIterator[Workshop]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine:
        yield Workshop(engine, Objects.open((tmp_path / "objects").as_uri()), tmp_path)


async def test_a_sealed_session_becomes_a_recording(workshop: Workshop) -> None:
    """The file has the session's length, the audio its place, and the session its outcome."""
    fence = await workshop.engine.running()
    await workshop.store_second(fence, 1, 0.5)
    await workshop.end_after(fence, 2.0)
    await workshop.engine.runs.seal(fence)

    await workshop.finalizer().finalize(fence.session_id)

    data, samples = await workshop.wav(fence.session_id)
    row = await workshop.recording(fence.session_id)
    assert await workshop.engine.status(fence.session_id) == Status.ENDED
    assert len(samples) == 2 * SAMPLE_RATE
    assert np.flatnonzero(samples)[[0, -1]].tolist() == [SAMPLE_RATE // 2, SAMPLE_RATE * 3 // 2 - 1]
    assert (row["recording_state"], row["gaps"]) == ("available", [])
    assert (row["sha256"], row["size_bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))


async def test_the_document_beside_the_recording_tells_its_digest_and_tracks(workshop: Workshop) -> None:
    """recording.json can be trusted without the database."""
    fence = await workshop.engine.running()
    await workshop.store_second(fence, 1, 0)
    await workshop.end_after(fence, 1.0)
    await workshop.engine.runs.seal(fence)
    await workshop.finalizer().finalize(fence.session_id)
    key = str((await workshop.recording(fence.session_id))["object_key"])
    document = json.loads(await workshop.objects.get(beside(key, "recording.json")))
    data, _ = await workshop.wav(fence.session_id)
    assert document["sha256"] == hashlib.sha256(data).hexdigest()
    assert [track["identity"] for track in document["tracks"]] == ["alice"]


async def test_the_spool_stays_until_product_and_transcript_are_done(workshop: Workshop) -> None:
    """The transcript's job reads the segments after the commit; nothing unfinished stays behind."""
    fence = await workshop.engine.running()
    key = await workshop.store_second(fence, 1, 0)
    await workshop.end_after(fence, 1.0)
    await workshop.engine.runs.seal(fence)
    await workshop.finalizer().finalize(fence.session_id)
    assert await workshop.engine.status(fence.session_id) == Status.ENDED
    assert await workshop.objects.get(key)
    await workshop.close_transcript(fence.session_id)
    await workshop.finalizer().finalize(fence.session_id)
    assert await workshop.objects.list(f"spool/{format_id('sess', fence.session_id)}") == []
    assert list((workshop.folder / "tmp").iterdir()) == []


async def test_a_session_whose_run_still_drains_is_left_alone(workshop: Workshop) -> None:
    """The job returns; the seal defers it again."""
    fence = await workshop.engine.running()
    key = await workshop.store_second(fence, 1, 0)
    await workshop.end_after(fence, 1.0)
    await workshop.engine.beat(fence)
    await workshop.finalizer().finalize(fence.session_id)
    assert await workshop.engine.status(fence.session_id) == Status.ENDING
    assert await workshop.objects.get(key)


async def test_the_time_of_a_lost_host_is_a_gap_of_ours(workshop: Workshop) -> None:
    """What it had uploaded is in the file; from there to the end the recording is incomplete."""
    fence = await workshop.engine.running()
    await workshop.store_second(fence, 1, 0)
    await workshop.end_after(fence, 5.0)
    await workshop.engine.pass_seconds(100)
    await workshop.finalizer(salvage_seconds=60).finalize(fence.session_id)
    row = await workshop.recording(fence.session_id)
    assert (row["recording_state"], row["recording_reason"]) == ("incomplete", "gap.worker_lost")
    assert row["gaps"] == [{"start_ms": 1000, "end_ms": 5000, "code": "gap.worker_lost"}]


async def test_a_damaged_segment_is_a_gap_and_not_the_end_of_the_recording(workshop: Workshop) -> None:
    """One bad object costs its own second."""
    fence = await workshop.engine.running()
    good = await workshop.store_second(fence, 1, 0)
    bad = await workshop.store_second(fence, 2, 1)
    await workshop.objects.put_bytes(bad, (await workshop.objects.get(bad))[:100])
    await workshop.end_after(fence, 2.0)
    await workshop.engine.runs.seal(fence)
    await workshop.finalizer().finalize(fence.session_id)
    row = await workshop.recording(fence.session_id)
    _, samples = await workshop.wav(fence.session_id)
    assert good != bad
    assert row["gaps"] == [{"start_ms": 1000, "end_ms": 2000, "code": "gap.storage"}]
    assert np.flatnonzero(samples)[[0, -1]].tolist() == [0, SAMPLE_RATE - 1]


async def test_two_builders_at_once_make_one_recording(workshop: Workshop) -> None:
    """The loser of the race matches nothing, and its bytes were the same."""
    fence = await workshop.engine.running()
    await workshop.store_second(fence, 1, 0)
    await workshop.end_after(fence, 1.0)
    await workshop.engine.runs.seal(fence)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(workshop.finalizer().finalize(fence.session_id))
    data, _ = await workshop.wav(fence.session_id)
    row = await workshop.recording(fence.session_id)
    events = await workshop.engine.events(fence.session_id)
    assert row["sha256"] == hashlib.sha256(data).hexdigest()
    assert events.count("session.ended") == 1


async def test_a_build_after_a_crash_before_the_commit_makes_the_same_bytes(workshop: Workshop) -> None:
    """What came into the spool after the freeze changes nothing."""
    fence = await workshop.engine.running()
    await workshop.store_second(fence, 1, 0)
    await workshop.end_after(fence, 3.0)
    await workshop.engine.runs.seal(fence)
    finalizer = workshop.finalizer()
    frozen = await workshop.engine.freezes.freeze(
        fence.session_id, 60, lambda: finalizer._list_segments(format_id("sess", fence.session_id))
    )
    await workshop.store_second(fence, 2, 1)
    await finalizer.finalize(fence.session_id)
    _, samples = await workshop.wav(fence.session_id)
    assert len(frozen.segments) == 1  # type: ignore[union-attr]
    assert np.flatnonzero(samples)[-1] == SAMPLE_RATE - 1


async def test_segments_left_by_a_crash_after_the_commit_go_with_the_next_run(workshop: Workshop) -> None:
    """The job is run again, finds the session done, and cleans up."""
    fence = await workshop.engine.running()
    await workshop.end_after(fence, 1.0)
    await workshop.engine.runs.seal(fence)
    await workshop.finalizer().finalize(fence.session_id)
    await workshop.close_transcript(fence.session_id)
    await workshop.store_second(fence, 1, 0)
    await workshop.finalizer().finalize(fence.session_id)
    assert await workshop.objects.list(f"spool/{format_id('sess', fence.session_id)}") == []
