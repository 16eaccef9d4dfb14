"""Spools of dead processes, on a real database and real folders with real locks."""

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from audio.pcm import SAMPLE_RATE
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import RecordKind, encode_audio, encode_header, encode_track, read_segment
from sessions.ids import format_id
from sessions.lifecycle.stop import Stop
from store.objects.objects import Objects
from store.runs.fence import Fence
from tests.support.running.engine import Engine
from worker.spool.salvage import Salvage


@dataclass
class Wreck:
    """What dead processes left on this host."""

    engine: Engine
    objects: Objects
    data_dir: Path

    @property
    def salvage(self) -> Salvage:
        engine = self.engine
        return Salvage(self.data_dir, engine.db, self.objects, engine.claims, engine.runs)

    def leave(self, fence: Fence, *, seconds: float, tail: bytes = b"") -> Path:
        """An open segment with so much audio from sample 0 on, as a kill -9 leaves it; returns its folder."""
        folder = self.data_dir / "spool" / str(fence.owner) / str(fence.session_id) / str(fence.epoch)
        folder.mkdir(parents=True)
        (folder.parents[1] / "lock").touch()
        name = format_id("sess", fence.session_id)
        data = [
            encode_header(name, fence.epoch, str(fence.owner), 0),
            encode_track(1, 1, identity="alice", name="", sid="TR_1", side="room"),
        ]
        for number in range(round(seconds * 10)):
            start = number * SAMPLE_RATE // 10
            data.append(encode_audio(1, number + 2, start, start, np.ones(SAMPLE_RATE // 10, dtype=np.int16)))
        (folder / "00000001.open").write_bytes(b"".join(data) + tail)
        return folder

    async def uploaded(self, fence: Fence) -> list[SegmentKey]:
        """What of the session is in the object storage."""
        prefix = f"spool/{format_id('sess', fence.session_id)}"
        return [SegmentKey.parse(key.removeprefix(f"{prefix}/")) for key, _ in await self.objects.list(prefix)]

    async def run_row(self, fence: Fence) -> tuple[bool, bool, bool]:
        """Whether the run is released, lost, sealed."""
        [row] = await self.engine.sql(
            "SELECT released_at IS NOT NULL AS released, lost, sealed_at IS NOT NULL AS sealed FROM runs"
            " WHERE session_id = :id AND epoch = :epoch",
            id=fence.session_id,
            epoch=fence.epoch,
        )
        return row.released, row.lost, row.sealed


@pytest.fixture
async def wreck(database_url: str, tmp_path: Path) -> AsyncIterator[Wreck]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine:
        yield Wreck(engine, Objects.open((tmp_path / "objects").as_uri()), tmp_path / "data")


async def test_what_a_killed_process_recorded_is_uploaded_and_its_run_sealed(wreck: Wreck) -> None:
    """The record that was being written is cut off, all before it is kept."""
    fence = await wreck.engine.running()
    wreck.leave(fence, seconds=2, tail=b"\2torn")
    await wreck.salvage.run()
    [key] = await wreck.uploaded(fence)
    data = await wreck.objects.get(f"spool/{format_id('sess', fence.session_id)}/{key.name}")
    assert (key.first_sample, key.last_sample) == (0, 2 * SAMPLE_RATE)
    assert read_segment(data).torn is False
    assert await wreck.run_row(fence) == (True, True, True)


async def test_a_salvaged_spool_leaves_nothing_on_the_disk(wreck: Wreck) -> None:
    """What is stored need not fill the host."""
    fence = await wreck.engine.running()
    wreck.leave(fence, seconds=1)
    await wreck.salvage.run()
    assert list((wreck.data_dir / "spool").iterdir()) == []


async def test_nothing_past_the_end_of_the_session_is_uploaded(wreck: Wreck) -> None:
    """A dead process went on recording until it died; the customer had asked for the end before."""
    fence = await wreck.engine.running()
    wreck.leave(fence, seconds=3)
    await wreck.engine.pass_seconds(3)
    started_at = (await wreck.engine.session(fence.session_id)).started_at
    assert started_at is not None
    await wreck.engine.runs.enter_ending(fence, Stop.ended("end.requested", at=started_at + timedelta(seconds=1.25)))
    await wreck.salvage.run()
    [key] = await wreck.uploaded(fence)
    assert key.last_sample == SAMPLE_RATE * 5 // 4


async def test_nothing_of_a_pause_is_uploaded_nor_left_on_the_disk(wreck: Wreck) -> None:
    """A process died before it heard of the pauses: one that is over, and one that goes on."""
    fence = await wreck.engine.running()
    folder = wreck.leave(fence, seconds=5)
    await wreck.engine.pass_seconds(5)
    started_at = (await wreck.engine.session(fence.session_id)).started_at
    assert started_at is not None
    for start, end in ((1.25, 2.5), (4.0, None)):
        await wreck.engine.sql(
            "INSERT INTO session_pauses VALUES (:id, :start, :end)",
            id=fence.session_id,
            start=started_at + timedelta(seconds=start),
            end=None if end is None else started_at + timedelta(seconds=end),
        )
    await wreck.salvage.run()
    [key] = await wreck.uploaded(fence)
    data = await wreck.objects.get(f"spool/{format_id('sess', fence.session_id)}/{key.name}")
    spans = [
        (record.start_sample, record.end_sample)
        for record in read_segment(data).records
        if record.kind == RecordKind.AUDIO
    ]
    held = np.zeros(5 * SAMPLE_RATE, dtype=bool)
    for first, last in spans:
        held[first:last] = True
    expected = np.zeros_like(held)
    for start, stop in ((0.0, 1.25), (2.5, 4.0)):
        expected[round(start * SAMPLE_RATE) : round(stop * SAMPLE_RATE)] = True
    assert (held == expected).all()
    assert (key.first_sample, key.last_sample) == (0, 4 * SAMPLE_RATE)
    assert not folder.exists()


async def test_the_last_seal_defers_the_finalize_job(wreck: Wreck) -> None:
    """An ending session waits for its salvaged spool and no longer."""
    fence = await wreck.engine.running()
    wreck.leave(fence, seconds=1)
    await wreck.engine.runs.enter_ending(fence, Stop.ended("end.requested"))
    await wreck.engine.sql("DELETE FROM procrastinate_jobs")
    await wreck.salvage.run()
    assert await wreck.engine.finalize_jobs(fence.session_id) == 1


async def test_a_locked_spool_is_left_alone(wreck: Wreck) -> None:
    """Its process lives, whoever started it."""
    fence = await wreck.engine.running()
    folder = wreck.leave(fence, seconds=1)
    lock = folder.parents[1] / "lock"
    program = f"import fcntl, sys; f = open({str(lock)!r}); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: ASYNC220 no loop needed
        assert holder.stdout is not None
        holder.stdout.readline()
        await wreck.salvage.run()
        left = (await wreck.run_row(fence), await wreck.uploaded(fence))
        holder.kill()
    assert left == ((False, False, False), [])


async def test_the_spools_of_our_own_children_are_left_alone(wreck: Wreck) -> None:
    """A child that is just starting may not hold its lock yet."""
    fence = await wreck.engine.running()
    wreck.leave(fence, seconds=1)
    await wreck.salvage.run({fence.owner})
    assert await wreck.run_row(fence) == (False, False, False)


async def test_what_came_before_the_join_was_proven_is_not_uploaded(wreck: Wreck) -> None:
    """It has no place on the session's clock."""
    session_id = await wreck.engine.new_session()
    [claim] = await wreck.engine.claim()
    [row] = await wreck.engine.sql("SELECT owner FROM runs")
    fence = Fence(session_id, claim.epoch, row.owner)
    wreck.leave(fence, seconds=1)
    await wreck.salvage.run()
    assert await wreck.uploaded(fence) == []
    assert await wreck.run_row(fence) == (True, True, True)


async def test_the_spool_of_a_deleted_session_is_deleted(wreck: Wreck) -> None:
    """Erased content doesn't come back from a host that was away."""
    fence = await wreck.engine.running()
    wreck.leave(fence, seconds=1)
    await wreck.engine.sql("DELETE FROM sessions WHERE id = :id", id=fence.session_id)
    await wreck.salvage.run()
    assert await wreck.uploaded(fence) == []
    assert list((wreck.data_dir / "spool").iterdir()) == []


async def test_salvaging_again_after_a_crash_uploads_the_same_object(wreck: Wreck) -> None:
    """Killed between upload and seal, the next one finds and repeats it."""
    fence = await wreck.engine.running()
    wreck.leave(fence, seconds=1)
    await wreck.salvage.run()
    await wreck.engine.sql("UPDATE runs SET sealed_at = NULL")
    wreck.leave(fence, seconds=1)
    await wreck.salvage.run()
    assert len(await wreck.uploaded(fence)) == 1
    assert (await wreck.run_row(fence))[2] is True
