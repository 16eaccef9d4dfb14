"""Transcribes one session with the real job, or lets its engine alone hear what the job would ask it for.

A request has `mode`: `engine`: tracks and voice are looked for first, and only the engine is timed; `job`: everything
is. `settings` are Parley's. An engine that fails is answered with its code and message.
"""

import asyncio
import time
from typing import Any
from uuid import UUID

from audio.track_audio import read_tracks
from bench.children.finalize_once import peak_mb
from bench.children.line_answers import answer, next_request
from sessions.settings import Settings
from store.database.database import Database
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.outputs.freeze import Freezes
from store.outputs.live_transcripts import LiveTranscripts
from store.outputs.transcripts import Transcripts
from store.sessions.log.session_log import SessionLog
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.recording_plan import recording_plan
from worker.outputs.product.segment_reader import SegmentReader
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.engines.engine import SpeechError
from worker.outputs.speech.transcriber import Transcriber
from worker.outputs.speech.utterances import find_utterances


async def main() -> None:
    answer({"idle_mb": peak_mb()})
    where = await next_request()
    async with Database.open(where["database_url"], timeout_seconds=10, application_name="bench") as db:
        try:
            done = await (_engine_alone if where["mode"] == "engine" else _whole_job)(db, where)
        except SpeechError as error:
            done = {"code": error.code, "message": error.message}
    answer(done)


async def _engine_alone(db: Database, where: dict[str, Any]) -> dict[str, Any]:
    frozen = await Freezes(db).frozen(UUID(where["session_id"]))
    assert frozen is not None
    engine = await SpeechEngines(Settings(**where["settings"])).open()
    with SegmentReader(Objects.open(where["storage_url"])) as read:
        tracks = read_tracks(recording_plan(frozen), read, lambda _: True, [])
        utterances = await asyncio.to_thread(list, find_utterances(tracks))
        started, cpu = time.perf_counter(), time.process_time()
        for utterance in utterances:
            await engine.recognize(utterance.pcm)
        return {
            **_figures(started, cpu),
            "voiced_seconds": sum(one.end_ms - one.start_ms for one in utterances) / 1000,
        }


async def _whole_job(db: Database, where: dict[str, Any]) -> dict[str, Any]:
    engines = SpeechEngines(Settings(**where["settings"]))
    if not where.get("cold"):
        await engines.open()  # as a speech process has it after its first session
    objects = Objects.open(where["storage_url"])
    identity = StorageIdentity(db, objects)
    await identity.adopt()  # each session of a bench has a storage of its own
    transcriber = Transcriber(
        Transcripts(db),
        Freezes(db),
        SessionLog(db),
        objects,
        identity.confirm,
        engines,
        LiveTranscripts(db),
        Leftovers(db, objects),
        deadline_seconds=86400,
    )
    started, cpu = time.perf_counter(), time.process_time()
    await transcriber.transcribe(UUID(where["session_id"]))
    return _figures(started, cpu)


def _figures(started: float, cpu: float) -> dict[str, Any]:
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()}


if __name__ == "__main__":
    asyncio.run(main())
