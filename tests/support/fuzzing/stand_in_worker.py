"""Takes sessions through their lives with the store's own code: no room, no audio, and only when told to.

Fuzzed sessions would wait in the queue for ever, and nobody could ask for what comes after. Every few new ones this
takes all that wait, lets them run, and ends the oldest: recording, transcript, summary and bill are there.
"""

import asyncio
import hashlib
import io
import json
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import numpy as np
import soundfile
from pydantic import SecretStr

from control_api.outputs.transcripts.examples import SUMMARY
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.stop import Stop
from sessions.texts.transcript_document import transcript_document
from store.access.vault import TokenVault
from store.database.database import Database
from store.database.notify.notifications import Listener
from store.objects.objects import Objects
from store.outputs.freeze import Freezes, Product
from store.outputs.summaries import Summaries
from store.outputs.transcript_versions import TranscriptVersions
from store.outputs.transcripts import Closing, Transcripts
from store.runs.claims import Claims
from store.runs.fence import Fence
from store.runs.runs import Runs
from store.sessions.log.session_log import NewLogEntry, SessionLog
from store.sessions.queries import SessionQueries
from store.usage.ledger import Ledger
from tests.support.running.engine import Engine

AT_A_TIME = 3  # so many new sessions are left in the queue before they are taken
MOST_RUNNING = 6
WAIT_SECONDS = 30

Value = TypeVar("Value")


def _wav() -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(480), 48_000, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


class StandInWorker:
    """`with StandInWorker(…) as worker`: its loop runs in a thread; its methods are called from another.

    Attributes:
        running: sessions that run, and the run.
        finished: sessions that have ended with everything that is made of them, newest last.
    """

    def __init__(self, database_url: str, storage_url: str, secret: str) -> None:
        self.finished: list[UUID] = []
        self._url = database_url
        self._objects = Objects.open(storage_url)
        self._vault = TokenVault([SecretStr(secret)])
        self._owner = uuid4()
        self.running: dict[UUID, Fence] = {}
        self._new = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-in worker", daemon=True)
        self._stack = AsyncExitStack()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)

    def session_created(self) -> None:
        """Take all that wait, when there are enough of them."""
        self._new += 1
        if self._new % AT_A_TIME == 0:
            self._run(self._take_all())

    def session_stopped(self, session_id: UUID) -> None:
        """A client ended or canceled it: what is made of it is made at once."""
        fence = self.running.pop(session_id, None)
        if fence is not None:
            self._run(self._finish(fence))

    def finish(self, session_id: UUID) -> None:
        """Take a session that waits through its whole life."""
        self._run(self._take_all())
        self.session_stopped(session_id)

    def _run(self, work: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)

    async def _open(self) -> None:
        db = await self._stack.enter_async_context(
            Database.open(self._url, timeout_seconds=15, application_name="stand-in worker", pool_size=2)
        )
        self._db = db
        self._engine = Engine(db, self._vault, Claims(db, self._vault), Runs(db, self._vault), Freezes(db), Ledger(db))
        self._log = SessionLog(db)
        self._transcripts, self._summaries, self._sessions = Transcripts(db), Summaries(db), SessionQueries(db)
        listener = await self._stack.enter_async_context(
            Listener.open(self._url, channels=("parley_message",), application_name="stand-in listener")
        )
        self._delivering = self._loop.create_task(self._deliver(listener))

    async def _close(self) -> None:
        self._delivering.cancel()
        await asyncio.wait([self._delivering])
        await self._stack.aclose()

    async def _deliver(self, listener: Listener) -> None:
        """Messages for sessions that run are in the room at once."""
        async for notification in listener:
            fence = None if notification.subject is None else self.running.get(notification.subject)
            if fence is not None:
                waiting = await self._log.undelivered(fence.session_id)
                await self._log.delivered(fence, [entry.seq for entry in waiting])

    async def _take_all(self) -> None:
        while claims := await self._engine.claim(self._owner, 50, known=list(self.running), may_judge_stale=False):
            for claim in claims:
                fence = Fence(claim.session.id, claim.epoch, self._owner)
                session = await self._engine.runs.mark_running(fence)
                if session.status is Status.RUNNING:
                    await self._engine.beat(fence, frames=100, audio_ms=1000)
                    await self._log.append(session.id, _SAID)
                    self.running[session.id] = fence
        while len(self.running) > MOST_RUNNING:
            await self._finish(self.running.pop(next(iter(self.running))))

    async def _finish(self, fence: Fence) -> None:
        await self._engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
        await self._engine.beat(fence, frames=200, audio_ms=2000)
        await self._engine.runs.seal(fence)
        name = f"sessions/{format_id('sess', fence.session_id)}"
        await self._engine.frozen(fence.session_id)
        audio = _wav()
        await self._objects.put_bytes(f"{name}/conversation.wav", audio)
        await self._objects.put_bytes(f"{name}/waveform.json", json.dumps(_WAVEFORM).encode())
        product = Product(
            f"{name}/conversation.wav",
            hashlib.sha256(audio).hexdigest(),
            len(audio),
            duration_ms=10,
            sample_rate=48_000,
            channels=1,
            peak_dbfs=None,
            tracks=[_TRACK],
            gaps=[{"start_ms": 1, "end_ms": 2, "code": "gap.rejoin"}],
            absences=[{"start_ms": 0, "end_ms": 3}],
            incomplete=False,
        )
        if not await self._engine.freezes.commit(fence.session_id, fence.epoch, product):
            return
        await self._write_outputs(fence.session_id, name)
        self.finished.append(fence.session_id)

    async def _write_outputs(self, session_id: UUID, name: str) -> None:
        session = (await self._sessions.current([session_id]))[session_id]
        transcript = await self._transcripts.read(session)
        document = transcript_document(format_id("sess", session_id), transcript)
        await self._objects.put_bytes(f"{name}/conversation.json", json.dumps(document).encode())
        await self._transcripts.close(session_id, Closing(engine="none"), f"{name}/conversation.json")
        await TranscriptVersions(self._engine.db).request(session_id, None, None)
        run = await self._summaries.request(session_id, again=False)
        if run is not None and await self._summaries.begin(session_id) is not None:
            summary = {**SUMMARY["content"], "transcript_sha256": transcript.sha256}
            await self._objects.put_bytes(f"{name}/summary.json", json.dumps(summary).encode())
            await self._summaries.finish(session_id, run.run_id, transcript.sha256, f"{name}/summary.json")


_WAVEFORM = {
    "sample_rate": 48_000,
    "samples_per_peak": 960,
    "channels": 1,
    "peaks": "AAA=",
    "samples_per_level": 4800,
    "levels": [{"identity": "ann", "dbfs": "oA=="}],
}
_TRACK = {
    "identity": "ann",
    "name": "mic",
    "sid": "TR_1",
    "side": "room",
    "first_sample": 0,
    "samples": 480,
    "frames": 1,
}
_SAID = [
    NewLogEntry(
        kind="segment", role="user", text="Hi, can you hear me?", source="speech", identity="ann", start_ms=0, end_ms=9
    ),
    NewLogEntry(kind="message", role="assistant", text="I can.", source="lk.chat", identity="bot"),
]
