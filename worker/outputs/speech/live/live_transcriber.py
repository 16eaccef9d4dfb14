"""Follows sessions that run, several at a time, and shares the engine among them fairly."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import structlog

from audio.pcm import Pcm
from sessions.errors import DatabaseError
from sessions.ids import format_id, new_uuid
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.outputs.live_transcripts import HeardSoFar, HeldSession, LiveTranscripts
from store.sessions.log.session_log import SessionLog
from store.set_within import set_within
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.engines.engine import Recognized, SpeechError
from worker.outputs.speech.live.follower import LiveFollower
from worker.outputs.speech.voice_detector import voice_model
from worker.vitals.activity import Activity

_log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_STEP_SECONDS = 0.4
_NOTE_SECONDS = 3.0
_RETRY_SECONDS = 3.0
_MOST_SESSIONS = 100  # taken by one look
_HEARING_THREADS = 2
_ENDPOINT_REQUESTS = 8  # at a time; what is embedded has one core to itself


class LiveTranscriber:
    """The followers of one process. `host` is this machine, as its recorders call it; each keeps `activity` busy."""

    def __init__(
        self,
        live: LiveTranscripts,
        log: SessionLog,
        objects: Objects,
        engines: SpeechEngines,
        *,
        data_dir: Path,
        host: str,
        activity: Activity,
    ) -> None:
        self._live = live
        self._log = log
        self._objects = objects
        self._engines = engines
        self._spool = data_dir / "spool"
        self._host = host
        self._activity = activity
        self._owner = new_uuid()
        # Its waiters are served in the order in which they came, so sessions take turns.
        self._engine = asyncio.Semaphore(_ENDPOINT_REQUESTS if engines.name == "openai" else 1)

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow sessions until `stopping` is set."""
        if self._engines.name == "none":
            return
        followed: dict[UUID, asyncio.Task[None]] = {}
        with ThreadPoolExecutor(_HEARING_THREADS, "hearing") as hearing:
            async with asyncio.TaskGroup() as group:
                while not await set_within(stopping, _LOOK_SECONDS):
                    try:
                        held = await self._live.hold(self._owner, self._host, _MOST_SESSIONS)
                    except DatabaseError as error:
                        _log.warning("live_transcripts.not_held", error=type(error).__name__)
                        continue
                    for session in held:
                        if session.id not in followed:
                            follow = self._follow(session, hearing)
                            followed[session.id] = group.create_task(follow, name=f"live {session.id}")
                    for gone in followed.keys() - {session.id for session in held}:
                        followed.pop(gone).cancel()
                for task in followed.values():
                    task.cancel()
        try:
            await self._live.let_go(self._owner)
        except DatabaseError:
            return  # others take them when nobody renews them

    async def _follow(self, session: HeldSession, hearing: ThreadPoolExecutor) -> None:
        name = format_id("sess", session.id)
        try:
            follower = LiveFollower(
                session, self._spool, self._objects, self._log, voice_model(), self._recognize, hearing
            )
            _log.info("live_transcript.followed", session_id=name, from_ms=session.heard_ms)
            with self._activity.busy():
                await self._step(follower, session.id, name)
        except SpeechError as error:
            _log.warning("live_transcript.given_up", session_id=name, code=error.code)
        except Exception as error:  # another session's followers go on; the job at the end hears this one
            _log.error("live_transcript.failed", session_id=name, error=type(error).__name__)

    async def _step(self, follower: LiveFollower, session_id: UUID, name: str) -> None:
        loop = asyncio.get_running_loop()
        noted = loop.time()
        while True:
            try:
                await follower.step()
                if loop.time() - noted >= _NOTE_SECONDS:
                    noted = loop.time()
                    heard = HeardSoFar(follower.heard_ms, follower.language, self._engines.model)
                    await self._live.note(session_id, self._owner, heard)
            except (StorageError, DatabaseError, OSError) as error:
                _log.warning("live_transcript.waits", session_id=name, error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
            await asyncio.sleep(_STEP_SECONDS)

    async def _recognize(self, pcm: Pcm, language: str | None) -> Recognized:
        async with self._engine:
            return await (await self._engines.open()).recognize(pcm, language)
