"""A session's outputs, made step by step: a test may do something at each step, and sees what there is in the end.

The storage and the parts of the store that the jobs write through say which step is next; nothing waits for time.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.segments import encode_audio, encode_header, encode_track, segment_key
from sessions.ids import format_id
from sessions.lifecycle.stop import Stop
from sessions.settings import Settings
from store.installation.storage_identity import StorageIdentity
from store.jobs.deferring import (
    ERASE,
    FINALIZE,
    MAKE_FILES,
    REMAKE,
    SUMMARIZE,
    TRANSCRIBE,
    defer_erase,
    defer_finalize,
    defer_make_files,
    defer_remake,
    defer_summarize,
    defer_transcribe,
)
from store.objects.objects import Objects
from store.outputs.freeze import Freezes, Product
from store.outputs.live_transcripts import LiveTranscripts
from store.outputs.recording_files import RecordingFiles
from store.outputs.summaries import Summaries
from store.outputs.transcript_versions import TranscriptRun, TranscriptVersions
from store.outputs.transcripts import Transcripts
from store.runs.fence import Fence
from store.runs.run_segments import RunSegments, StoredSegment
from store.sessions.erasure import SessionErasure
from store.sessions.log.session_log import SessionLog
from store.sessions.queries import SessionQueries
from store.sweeping.sweeper import sweep
from tests.support.running.engine import Engine
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.file_maker import FileMaker
from worker.outputs.product.finalizer import Finalizer
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.remaker import RemakingStore, TranscriptRemaker
from worker.outputs.speech.transcriber import Transcriber
from worker.outputs.summary.extractive import ExtractiveSummarizer
from worker.outputs.summary.writer import SummaryWriter

Reached = Callable[[str], Awaitable[None]]


class Killed(BaseException):
    """The process that runs the job is gone."""


async def _nothing(_: str) -> None:
    return


@asynccontextmanager
async def _around(reached: Reached, step: str) -> AsyncIterator[None]:
    """Say that a step is next, and that it is done unless it has failed."""
    await reached(step)
    yield
    await reached(f"{step}: done")


class StagedObjects(Objects):
    """A folder that says what is done next, and what was just done; segments are read from it as from a remote one."""

    reached: Reached = staticmethod(_nothing)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """See `Objects`."""
        async with _around(self.reached, f"put {_kind(key)}"):
            await super().put_bytes(key, data)

    async def put_file(self, key: str, path: Path, *, disposition: str | None = None) -> None:
        """See `Objects`."""
        async with _around(self.reached, f"put {_kind(key)}"):
            await super().put_file(key, path, disposition=disposition)

    async def get(self, key: str) -> bytes:
        """See `Objects`."""
        if key.startswith("spool/"):
            await self.reached("read a segment")
        return await super().get(key)

    async def read_range(self, key: str, start: int, end: int) -> bytes:
        """See `Objects`."""
        await self.reached(f"read {_kind(key)}")
        return await super().read_range(key, start, end)

    async def list(self, prefix: str) -> list[tuple[str, int]]:
        """See `Objects`."""
        await self.reached(f"list {prefix.partition('/')[0]}")
        return await super().list(prefix)

    async def delete_folder(self, prefix: str) -> None:
        """See `Objects`."""
        await self.reached(f"delete {prefix.partition('/')[0]}")
        await super().delete_folder(prefix)

    async def delete(self, key: str) -> None:
        """See `Objects`."""
        await self.reached(f"delete {_kind(key)}")
        await super().delete(key)

    def local_path(self, key: str) -> Path | None:
        """See `Objects`."""
        return None if key.startswith("spool/") else super().local_path(key)


def _kind(key: str) -> str:
    if key.startswith("spool/"):
        return "a segment"
    return "a participant's file" if "/files/" in key else key.rpartition("/")[2]


@dataclass
class Stage:
    """Where the work is: `steps` were reached, in their order; `at` is told of each."""

    steps: list[str] = field(default_factory=list)
    job: str = ""
    at: Reached = _nothing

    async def reached(self, step: str) -> None:
        """Another step; a name that comes again has a number."""
        name = f"{self.job}: {step}"
        times = sum(one.partition(" #")[0] == name for one in self.steps) + 1
        self.steps.append(name if times == 1 else f"{name} #{times}")
        await self.at(self.steps[-1])


class StagedFreezes(Freezes):
    """Says when it is about to freeze and commit, and when it has."""

    stage: Stage

    async def freeze(self, *arguments: Any) -> Any:
        """See `Freezes`."""
        await self.stage.reached("freeze")
        return await super().freeze(*arguments)

    async def commit(self, session_id: UUID, epoch: int, product: Product) -> bool:
        """See `Freezes`."""
        async with _around(self.stage.reached, "commit"):
            return await super().commit(session_id, epoch, product)


class StagedTranscripts(Transcripts):
    """Says when it is about to close a transcript, and when it has."""

    stage: Stage

    async def close(self, *arguments: Any, **options: Any) -> bool:
        """See `Transcripts`."""
        async with _around(self.stage.reached, "close"):
            return await super().close(*arguments, **options)


class StagedFiles(RecordingFiles):
    """Says when it is about to note a file, and when it has."""

    stage: Stage

    async def finish(self, *arguments: Any, **options: Any) -> bool:
        """See `RecordingFiles`."""
        async with _around(self.stage.reached, "note"):
            return await super().finish(*arguments, **options)


class StagedSummaries(Summaries):
    """Says when it is about to note a summary, and when it has."""

    stage: Stage

    async def finish(self, *arguments: Any, **options: Any) -> bool:
        """See `Summaries`."""
        async with _around(self.stage.reached, "note"):
            return await super().finish(*arguments, **options)


class StagedVersions(TranscriptVersions):
    """Says when it is about to serve a version, and when it has."""

    stage: Stage

    async def keep(self, *arguments: Any) -> bool:
        """See `TranscriptVersions`."""
        await self.stage.reached("keep")
        return await super().keep(*arguments)

    async def finish(self, *arguments: Any, **options: Any) -> Any:
        """See `TranscriptVersions`."""
        async with _around(self.stage.reached, "serve"):
            return await super().finish(*arguments, **options)


SECONDS = 5
_DEFER: dict[str, Callable[[AsyncConnection, UUID], Awaitable[bool]]] = {
    FINALIZE: defer_finalize,
    TRANSCRIBE: defer_transcribe,
    REMAKE: defer_remake,
    MAKE_FILES: defer_make_files,
    SUMMARIZE: defer_summarize,
    ERASE: defer_erase,
}
SETTINGS = Settings(database_url=SecretStr("postgresql://unused"), secret_key=(SecretStr("s" * 40),))
_ROUNDS = 12
# What the sweeper waits for, in the past: the session's own stamps stay, as the recording's clock is made of them.
_STAMPS = (
    ("transcripts", "session_id", ("created_at", "attempted_at")),
    ("transcript_versions", "session_id", ("requested_at", "attempted_at")),
    ("summaries", "session_id", ("requested_at", "attempted_at")),
    ("recording_files", "session_id", ("requested_at", "attempted_at")),
    ("erasures", "session_id", ("next_at",)),
    ("leftovers", "session_id", ("due_at",)),
)
_HOUR = "interval '1 hour'"
_AN_HOUR_LATER = "WITH {} SELECT".format(
    ", ".join(
        f"l_{table} AS (UPDATE {table} SET {', '.join(f'{stamp} = {stamp} - {_HOUR}' for stamp in stamps)}"
        f" WHERE {key} = :id)"
        for table, key, stamps in _STAMPS
    )
    + ", l_sessions AS (UPDATE sessions SET finalize_attempted_at ="
    f" coalesce(finalize_attempted_at, ending_at) - {_HOUR} WHERE id = :id)"
)
_WAITING = """
    SELECT id, task_name FROM procrastinate_jobs WHERE status = 'todo' AND args->>'session_id' = :id
    AND (scheduled_at IS NULL OR scheduled_at <= now() + make_interval(hours => :hours))
    ORDER BY priority DESC, id LIMIT 1
"""


@dataclass
class Production:
    """One session that has ended, and the jobs that make its outputs. Ann speaks for four seconds, then Bob hums.

    Attributes:
        truth: what was recorded, at 48 kHz of shape (n,).
        keys: of the segments, one a second.
        failures: of jobs, by name.
        running: the job that was begun last.
    """

    engine: Engine
    folder: Path
    objects: Objects
    speech_url: str
    fence: Fence
    truth: Pcm
    keys: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    running: str = FINALIZE

    @property
    def session_id(self) -> UUID:
        """Of the session."""
        return self.fence.session_id

    @property
    def name(self) -> str:
        """Its id, as folders of the storage are called."""
        return format_id("sess", self.session_id)

    async def end(self) -> None:
        """Upload all segments, end the session after `SECONDS`, and seal its run."""
        stored = [await self.upload(second) for second in range(SECONDS)]
        await self.engine.pass_seconds(SECONDS)
        await self.engine.beat(self.fence)
        await self.engine.pass_seconds(1)
        started_at = (await self.engine.session(self.session_id)).started_at
        assert started_at is not None
        at = started_at + timedelta(seconds=SECONDS)
        await self.engine.runs.enter_ending(self.fence, Stop.ended("end.requested", at=at))
        await self.engine.runs.seal(self.fence, RunSegments(SECONDS, tuple(stored)))

    async def upload(self, second: int, number: int | None = None) -> StoredSegment:
        """Store the segment of one second as the run would."""
        start = second * SAMPLE_RATE
        who = "bob" if second == SECONDS - 1 else "ann"
        data = b"".join(
            [
                encode_header(self.name, self.fence.epoch, str(self.fence.owner), start),
                encode_track(1, 1, identity=who, name="", sid=f"TR_{who}", side="room"),
                encode_audio(1, 2, start, start, self.truth[start : start + SAMPLE_RATE]),
            ]
        )
        segment = StoredSegment(segment_key(data, second + 1 if number is None else number).name)
        self.keys.append(f"spool/{self.name}/{segment.name}")
        await self.objects.put_create(self.keys[-1], data)
        return segment

    def jobs(self, stage: Stage | None = None) -> dict[str, Callable[[UUID], Awaitable[None]]]:
        """What a worker's processes have, in which `stage` is told of each step."""
        db, told = self.engine.db, stage or Stage()
        root = self.objects.local_path("root")
        assert root is not None
        objects = StagedObjects.open(root.parent.as_uri())
        objects.reached = told.reached
        confirm = StorageIdentity(db, self.objects).confirm
        freezes, transcripts, files = StagedFreezes(db), StagedTranscripts(db), StagedFiles(db)
        summaries, versions = StagedSummaries(db), StagedVersions(db)
        for one in (freezes, transcripts, files, summaries, versions):
            one.stage = told
        leftovers = Leftovers(db, objects)
        log, _live, sessions = SessionLog(db), LiveTranscripts(db), SessionQueries(db)
        temporary = self.folder / "tmp"
        engines = SpeechEngines(Settings(speech_url=self.speech_url))
        remaking = RemakingStore(versions, transcripts, files, sessions, log, objects, confirm, leftovers)
        tasks = {
            FINALIZE: Finalizer(freezes, objects, confirm, leftovers, temporary=temporary, salvage_seconds=60).finalize,
            TRANSCRIBE: Transcriber(
                transcripts,
                freezes,
                log,
                objects,
                confirm,
                engines,
                LiveTranscripts(db),
                leftovers,
                deadline_seconds=86400,
            ).transcribe,
            MAKE_FILES: FileMaker(files, freezes, objects, confirm, leftovers, temporary=temporary).make,
            SUMMARIZE: SummaryWriter(
                summaries, transcripts, sessions, objects, confirm, leftovers, ExtractiveSummarizer()
            ).summarize,
            REMAKE: TranscriptRemaker(
                remaking, Settings(speech_url=self.speech_url), engines, temporary=temporary
            ).remake,
            ERASE: SessionErasure(db, self.objects).sweep,
        }
        return {name: partial(self._begin, told, name, task) for name, task in tasks.items()}

    async def _begin(self, stage: Stage, name: str, task: Callable[[UUID], Awaitable[None]], session_id: UUID) -> None:
        stage.job = name.partition(".")[2]
        await stage.reached("begin")
        await task(session_id)

    async def run_waiting(self, stage: Stage | None = None, *, hours: int = 0) -> bool:
        """Run the jobs that wait, one after the other, until none does; whether there was one.

        Args:
            hours: so far ahead jobs are due already.
        """
        tasks, ran = self.jobs(stage), False
        while waiting := await self.engine.sql(_WAITING, id=str(self.session_id), hours=hours):
            [job] = waiting
            ran = True
            await self.engine.sql("DELETE FROM procrastinate_jobs WHERE id = :id", id=job.id)
            self.running = job.task_name
            try:
                await tasks[job.task_name](self.session_id)
            except Killed:
                await self.rescue()
            except Exception as error:
                self.failures.append(f"{job.task_name}: {error!r}")
        return ran

    async def rescue(self) -> None:
        """The process that runs the job counts as dead: the job waits again (`store.jobs.job_rescue`)."""
        async with self.engine.db.begin() as conn:
            await _DEFER[self.running](conn, self.session_id)

    async def settle(self, stage: Stage | None = None) -> None:
        """Run jobs and sweep, as time passes, until nothing is left to do."""
        await self.run_waiting(stage)
        for _ in range(_ROUNDS):
            await self.engine.sql(_AN_HOUR_LATER, id=self.session_id)
            await sweep(self.engine.db, SETTINGS)
            if not await self.run_waiting(stage):
                return
        raise AssertionError(f"there is always something left to do: {self.failures}")

    async def give_up(self) -> None:
        """The deadline of finalizing passes."""
        await sweep(self.engine.db, SETTINGS.model_copy(update={"finalize_deadline_seconds": 0.0}))

    async def remade(self) -> TranscriptRun | None:
        """Somebody asks for the transcript anew."""
        return await TranscriptVersions(self.engine.db).request(self.session_id, None, None)

    async def row(self, query: str) -> Any:
        """The one row that a query with `:id` finds; None: there is none."""
        async with self.engine.db.begin() as conn:
            return (await conn.execute(text(query), {"id": self.session_id})).one_or_none()

    async def stored(self) -> set[str]:
        """The keys of everything that the storage has of the session."""
        folders = (f"sessions/{self.name}", f"spool/{self.name}")
        return {key for folder in folders for key, _ in await self.objects.list(folder)}

    async def document(self, key: str) -> dict[str, Any]:
        """A stored JSON object."""
        found = json.loads(await self.objects.get(key))
        assert isinstance(found, dict)
        return found


def digest_of(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def spoken_truth(speech: Pcm) -> Pcm:
    """Half a second of nothing, the speech, and Bob's hum in the last second."""
    truth = np.zeros(SECONDS * SAMPLE_RATE, dtype=np.int16)
    start, end = SAMPLE_RATE // 2, (SECONDS - 1) * SAMPLE_RATE
    part = speech[: end - start]
    truth[start : start + len(part)] = part
    truth[end:] = (3000 * np.sin(2 * np.pi * 300 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.int16)
    return truth
