"""24 hours of one session on a clock of the test's own: what counts, places or adds up does so to the end."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.building.build import build_recording
from audio.pcm import SAMPLE_RATE
from sessions.ids import format_id
from sessions.lifecycle.stop import Stop
from store.database.boot_clock import SECOND_NS
from store.database.clock import ClockPair
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.runs.fence import Fence
from store.runs.run_segments import RunSegments
from store.usage import ledger
from tests.support.running.engine import Engine
from tests.support.samples.sparse_file import SparseFile
from worker.capture.recorder import Recorder
from worker.clock.session_clock import SessionClock
from worker.outputs.product.recording_plan import planned_segment, recording_plan
from worker.outputs.product.segment_reader import SegmentReader
from worker.room.events import RemoteTrack
from worker.spool.run_folder import RunFolder
from worker.spool.run_spool import RunSpool
from worker.spool.spool_folder import open_spool_folder
from worker.spool.spool_writer import SpoolWriter
from worker.spool.stored_journal import StoredJournal
from worker.spool.uploader import Uploader

DAY_SECONDS = 24 * 3600
BEAT_SECONDS = 5  # the default, as are those below
SEGMENT_SECONDS = 10.0
USAGE_SECONDS = 60
WORD_SECONDS = 600  # somebody joins, speaks for two seconds, and leaves again
FRAME_SAMPLES = SAMPLE_RATE // 10
FRAMES = 20


@dataclass
class Day:
    """The recorder of a run, whose time passes as fast as it is told to."""

    engine: Engine
    fence: Fence
    recorder: Recorder
    uploader: Uploader
    now_seconds: int = 0
    accruals: int = 0
    words: int = 0
    _passed_at: float = field(default_factory=time.monotonic)

    async def live(self) -> None:
        """Five seconds at a time; the database's clock is moved by what this takes less."""
        while self.now_seconds < DAY_SECONDS - BEAT_SECONDS:
            self.now_seconds += BEAT_SECONDS
            if self.now_seconds % WORD_SECONDS == 0:
                self._speak()
            now_ns = self.now_seconds * SECOND_NS
            self.recorder.tick(now_ns)
            await self._pass(BEAT_SECONDS)
            counters = self.recorder.take_counters()
            await self.engine.beat(self.fence, frames=counters.frames, audio_ms=counters.audio_ms)
            self.uploader.prove(now_ns)
            await self.uploader.flush()
            if self.now_seconds % USAGE_SECONDS == 0:
                async with self.engine.db.begin() as conn:
                    self.accruals += await ledger.accrue(conn, USAGE_SECONDS - 1)

    async def _pass(self, seconds: float) -> None:
        elapsed = time.monotonic() - self._passed_at
        await self.engine.pass_seconds(max(seconds - elapsed, 0))
        self._passed_at += min(seconds, elapsed)  # what a stall took too much is left out of the next five seconds

    def _speak(self) -> None:
        self.words += 1
        append = self.recorder.open_track(RemoteTrack(f"TR_{self.words}", f"guest-{self.words}", ""))
        word = np.full(FRAME_SAMPLES, 1000 + self.words, dtype=np.int16)
        for frame in range(1, FRAMES + 1):
            append(self.now_seconds * SECOND_NS + frame * SECOND_NS // 10, word)
        self.recorder.close_track(f"TR_{self.words}")


@pytest.mark.long
async def test_a_day_of_a_session_is_counted_placed_and_billed_to_its_end(database_url: str, tmp_path: Path) -> None:
    """17,280 beats, 143 words, 1,440 minutes of the bill, a file of 8.3 GB; at the end as exact as at the beginning."""
    objects = Objects.open((tmp_path / "objects").as_uri())
    async with Engine.open(database_url) as engine:
        fence = await engine.running(max_duration_seconds=2 * DAY_SECONDS)
        name = format_id("sess", fence.session_id)
        started_at = (await engine.session(fence.session_id)).started_at
        assert started_at is not None
        clock = SessionClock(started_at, ClockPair(started_at, 0, 0))
        with open_spool_folder(tmp_path, fence.owner) as folder, SpoolWriter() as writer:
            run_folder = RunFolder.open(folder, fence)
            identity = StorageIdentity(engine.db, objects)
            uploader = Uploader(objects, identity.confirm, fence.session_id, clock, StoredJournal(run_folder.path))
            spool = RunSpool(
                writer,
                run_folder,
                segment_seconds=SEGMENT_SECONDS,
                on_sealed=uploader.add,
                on_failed=pytest.fail,
            )
            recorder = Recorder(clock, spool, lambda _seconds: None)
            day = Day(engine, fence, recorder, uploader)
            await day.live()
            await spool.close()
            await asyncio.sleep(0)
            uploader.release_all()
            await uploader.drained()
            assert not list(run_folder.path.glob("*.seg")), "everything is in the storage"

        await engine.pass_seconds(2 * BEAT_SECONDS)
        started_at = (await engine.session(fence.session_id)).started_at
        assert started_at is not None
        await engine.runs.enter_ending(
            fence, Stop.ended("end.requested", at=started_at + timedelta(seconds=DAY_SECONDS))
        )
        await engine.beat(fence)
        await engine.runs.seal(fence, RunSegments(spool.segments, uploader.journal.stored))

        assert spool.segments == len(uploader.journal.stored) == len(await objects.list(f"spool/{name}"))
        assert day.words == DAY_SECONDS // WORD_SECONDS - 1
        session = await engine.session(fence.session_id)
        assert session.usage.billable_ms == DAY_SECONDS * 1000
        assert session.usage.audio_ms_received == day.words * FRAMES * 100

        async def stored() -> list[dict[str, str]]:
            found = [planned_segment(key, f"spool/{name}") for key, _ in await objects.list(f"spool/{name}")]
            return [one for one in found if one is not None]

        frozen = await engine.frozen(fence.session_id, await stored())
        plan = recording_plan(frozen)
        assert plan.length_samples == DAY_SECONDS * SAMPLE_RATE
        path = tmp_path / "day.wav"
        with SegmentReader(objects) as read, SparseFile(path, "w+") as file:
            result = await asyncio.to_thread(build_recording, plan, read, file)
        assert (result.gaps, result.damaged_segments, len(result.tracks)) == ([], [], day.words)
        assert set(_places(path, day.words)) == {0}, "the last word lies as exactly as the first one"

        rows = await engine.sql(
            "SELECT kind, from_ms, to_ms FROM usage_events WHERE session_id = :id ORDER BY from_ms, to_ms",
            id=fence.session_id,
        )
        assert [row.from_ms for row in rows] == [0, *(row.to_ms for row in rows[:-1])]
        assert day.accruals in range(DAY_SECONDS // USAGE_SECONDS - 2, DAY_SECONDS // USAGE_SECONDS + 1)


def _places(path: Path, words: int) -> Iterable[int]:
    """How many samples each word lies from where it was spoken."""
    with soundfile.SoundFile(path) as wav:
        assert (wav.format, wav.frames) == ("RF64", DAY_SECONDS * SAMPLE_RATE)
        for word in range(1, words + 1):
            spoken = word * WORD_SECONDS * SAMPLE_RATE
            wav.seek(spoken - SAMPLE_RATE)
            [first, last] = np.flatnonzero(wav.read(SAMPLE_RATE * 4, dtype="int16") == 1000 + word)[[0, -1]]
            assert last - first + 1 == FRAMES * FRAME_SAMPLES
            yield int(first) - SAMPLE_RATE
