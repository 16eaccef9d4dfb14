"""A run that has recorded, and a storage that may lose or refuse what it took."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from audio.pcm import SAMPLE_RATE
from audio.segments.segments import encode_audio, encode_header, encode_track, segment_key
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.stop import Stop
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.runs.fence import Fence
from store.runs.run_segments import RunSegments
from tests.support.running.engine import Engine
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.finalizer import Finalizer
from worker.spool.spool_writer import SealedSegment
from worker.spool.stored_journal import StoredJournal
from worker.spool.uploader import upload_segment

SEGMENT_SECONDS = 1


@dataclass
class Loss:
    """A run that has recorded, and a storage that may lose what it took."""

    engine: Engine
    objects: Objects
    data_dir: Path

    @property
    def identity(self) -> StorageIdentity:
        """As a process that has just been started asks."""
        return StorageIdentity(self.engine.db, self.objects)

    def spool(self, fence: Fence) -> Path:
        """The folder of the run."""
        folder = self.data_dir / "spool" / str(fence.owner) / str(fence.session_id) / str(fence.epoch)
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parents[1] / "lock").touch()
        return folder

    def record(self, fence: Fence, number: int) -> SealedSegment:
        """A segment in the spool: a second of a constant, `number` - 1 seconds after the start."""
        start = (number - 1) * SEGMENT_SECONDS * SAMPLE_RATE
        second = np.full(SAMPLE_RATE * SEGMENT_SECONDS // 10, 1000, dtype=np.int16)
        data = b"".join(
            [
                encode_header(format_id("sess", fence.session_id), fence.epoch, str(fence.owner), start),
                encode_track(1, 1, identity="ann", name="", sid="TR_1", side="room"),
                *(encode_audio(1, 2 + n, start + n * len(second), start, second) for n in range(10)),
            ]
        )
        key = segment_key(data, number)
        path = self.spool(fence) / key.name.rpartition("/")[2]
        path.write_bytes(data)
        return SealedSegment(path, key)

    async def upload(self, fence: Fence, numbers: range) -> tuple[RunSegments, list[str]]:
        """Record and upload segments; what to seal the run with, and their storage keys."""
        journal = StoredJournal(self.spool(fence))
        for number in numbers:
            await upload_segment(
                self.objects, self.identity.confirm, fence.session_id, self.record(fence, number), journal
            )
        prefix = f"spool/{format_id('sess', fence.session_id)}"
        return RunSegments(len(numbers), journal.stored), [f"{prefix}/{one.name}" for one in journal.stored]

    async def end_after(self, fence: Fence, seconds: float) -> None:
        """Put the session into `ending`, as if it had run exactly so long."""
        await self.engine.pass_seconds(seconds + 1)
        started_at = (await self.engine.session(fence.session_id)).started_at
        assert started_at is not None
        at = started_at + timedelta(seconds=seconds)
        await self.engine.runs.enter_ending(fence, Stop.ended("end.requested", at=at))

    async def recording(self, fence: Fence) -> tuple[str, str | None, list[tuple[int, int, str]]]:
        """Finalize; the recording's state, its reason, its gaps."""
        finalizer = Finalizer(
            self.engine.freezes,
            self.objects,
            self.identity.confirm,
            Leftovers(self.engine.db, self.objects),
            temporary=self.data_dir / "tmp",
            salvage_seconds=60,
        )
        await finalizer.finalize(fence.session_id)
        assert await self.engine.status(fence.session_id) == Status.ENDED
        [row] = await self.engine.sql(
            "SELECT s.recording_state, s.recording_reason, r.gaps FROM sessions s JOIN recordings r"
            " ON r.session_id = s.id WHERE s.id = :id",
            id=fence.session_id,
        )
        gaps = [(gap["start_ms"], gap["end_ms"], gap["code"]) for gap in row.gaps]
        return row.recording_state, row.recording_reason, gaps
