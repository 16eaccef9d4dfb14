"""The beginning of a run: what can be done before the room is joined, and what is left to do once it is.

A session that begins starts its clock when its audio can be heard, and its recording begins once that is written. A
session that goes on has its clock already, and every moment between the join, which evicts the worker before, and the
first frame is lost: it is recorded from the join on, and the join is written meanwhile.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from sessions.lifecycle.lifecycle import SETTLED
from sessions.session import Session
from store.database.boot_clock import boottime_ns
from store.database.clock import ClockPair
from store.database.until_answered import until_answered
from store.lifecycle.pauses import Pause
from store.runs.claims import Claim
from worker.capture.spawn import Spawn
from worker.clock.session_clock import SessionClock
from worker.lease.live_run import LiveRun
from worker.room.livekit.room import LiveKitRoom
from worker.run.recorder_tools import RecorderTools
from worker.run.recording import RunRecording
from worker.spool.run_folder import RunFolder

_log = structlog.get_logger(__name__)


class RunBeginning:
    """Takes one run from its claim to its recording: `prepare`, then `begin` once the room is joined."""

    def __init__(
        self, claim: Claim, run: LiveRun, tools: RecorderTools, spawn: Spawn, hurry: Callable[[float], None]
    ) -> None:
        self._claim = claim
        self._run = run
        self._tools = tools
        self._spawn = spawn
        self._hurry = hurry
        self._folder: RunFolder | None = None
        self._written = asyncio.Event()

    async def prepare(self) -> ClockPair:
        """Open the spool and read the database's clock, however long that takes.

        Raises:
            ParleyError: the spool cannot be written.
        """
        self._folder = await asyncio.to_thread(RunFolder.open, self._tools.spool_folder, self._run.fence)
        self._pair = await until_answered(self._tools.db.clock)
        return self._pair

    async def begin(self, room: LiveKitRoom) -> RunRecording | None:
        """The recording; None if the session is stopped or another run's (a later look finds out)."""
        if self._claim.resumed:
            return self._go_on()
        room.listen()
        await room.heard(self._tools.settings.subscribe_seconds)  # the clock begins with what can be heard
        self._run.seat()  # before the transition: a beat in between must say that the run is in its room
        session = await self._write(None)
        if session is None or session.status in SETTLED or session.started_at is None:
            self._run.leave()
            return None
        return self._record(session)

    async def written(self) -> None:
        """Wait until the database has the join, or never will; sealing, which calls this, has a bound."""
        await self._written.wait()

    async def drop(self) -> None:
        """Nothing was recorded: leave no folder behind."""
        if self._folder is not None:
            await asyncio.to_thread(self._folder.remove_if_empty)

    def _go_on(self) -> RunRecording:
        joined_at = self._pair.db_time_at(boottime_ns())
        recording = self._record(self._claim.session)
        self._spawn(self._write_join(joined_at), "write-join")
        return recording

    async def _write_join(self, joined_at: datetime) -> None:
        await self._write(joined_at)

    async def _write(self, joined_at: datetime | None) -> Session | None:
        try:
            session = await self._run.until_written(lambda: self._tools.runs.mark_running(self._run.fence, joined_at))
        finally:
            self._written.set()
        if session is None or session.status in SETTLED:
            self._tools.beats.hurry()  # their answer tells what has become of it
        else:
            _log.info("session.running", resumed=self._claim.resumed)
        return session

    def _record(self, session: Session) -> RunRecording:
        assert session.started_at is not None
        assert self._folder is not None
        paused = () if session.paused_at is None else (Pause(session.paused_at, None),)
        clock = SessionClock(session.started_at, self._pair)
        recording = RunRecording(
            self._claim, self._run, self._tools, self._folder, clock, paused, self._spawn, self._hurry
        )
        recording.start()
        return recording
