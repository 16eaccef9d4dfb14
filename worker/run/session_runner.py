"""One session in this process, from the claim to the seal.

    prepare → join → record (rejoin whenever the room is lost) → stop → drain, leave, upload, seal

It is level-driven: beats, room events, the spool, timers and the drain leave their news, and each time somebody wakes
the runner it looks at all of it, in the order of `stop_order`. What a stop means for the session is decided here, in
`stop_finding` and in `room_watch`; what is written about it is always under the fence (`store.runs.runs`).
"""

import asyncio

import structlog

from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.lifecycle.stop import Stop
from store.database.boot_clock import boottime_ns
from store.runs.claims import Claim
from store.set_within import set_within
from worker.joining.room_joining import RoomJoining
from worker.joining.token_keeper import TokenKeeper
from worker.lease.live_run import LiveRun
from worker.room.livekit.room import LiveKitRoom
from worker.room.presence import RoomPresence
from worker.run.recorder_tools import RecorderTools
from worker.run.recording import RunRecording
from worker.run.room_seat import RoomSeat
from worker.run.run_beginning import RunBeginning
from worker.run.sealing import RunSealing
from worker.run.stopping.run_stop import RunStop
from worker.run.stopping.stop_finding import stop_from_clock, stop_from_database, stop_from_spool
from worker.run.stopping.stop_order import StopFinders
from worker.run.watching.room_watch import RoomWatch

_log = structlog.get_logger(__name__)

_TICK_SECONDS = 0.25


class SessionRunner:
    """Runs one claim. `run` returns when nothing of this run is left to do, and raises nothing but cancellation."""

    def __init__(self, claim: Claim, run: LiveRun, tools: RecorderTools) -> None:
        assert claim.session.transport is not None
        self._claim = claim
        self._run = run
        self._tools = tools
        token = TokenKeeper(tools.runs, run.fence, claim.token, claim.session.transport.room_name)
        joining = RoomJoining(
            tools.joins,
            claim,
            run,
            claim.session.transport,
            token=token,
            allowed=tools.settings.allowed_addresses,
            most_tracks=tools.settings.tracks_per_session,
        )
        self._presence = RoomPresence(
            claim.session.idle_timeout_seconds, somebody_came=claim.session.first_frame_at is not None
        )
        self._seat = RoomSeat(claim, run, tools, joining)
        self._watch = RoomWatch(
            run,
            self._seat,
            self._presence,
            token,
            self._spawn,
            unproven_seconds=tools.settings.unproven_connection_seconds,
        )
        self._beginning = RunBeginning(claim, run, tools, self._spawn, self._watch.hurry)
        self._sealing = RunSealing(run, self._seat, self._watch, self._beginning, tools)
        self._recording: RunRecording | None = None
        self._finders = StopFinders(
            elsewhere=self._decided_elsewhere,
            spool=self._spool_failed,
            join=self._join_done,
            room=self._room_looked_at,
            contest=self._seat_contested,
            clock=self._time_is_up,
        )
        self._children: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """From claim to seal."""
        structlog.contextvars.bind_contextvars(
            session_id=format_id("sess", self._claim.session.id), epoch=self._claim.epoch
        )
        self._tools.beats.add(self._run)
        try:
            await self._run_guarded()
        finally:
            self._tools.beats.remove(self._run)
            await self._seat.leave()

    async def _run_guarded(self) -> None:
        try:
            await self._from_claim_to_seal()
        except* Exception as group:  # a session never takes its neighbors down
            _log.error("session.crashed", exc_info=group)
            await self._give_up()

    async def _give_up(self) -> None:
        stop = RunStop.found(Stop.failed("internal", "the worker met something that it did not foresee"))
        try:
            async with asyncio.timeout(self._sealing.seconds):
                await self._sealing.seal(stop, self._recording)
        except Exception as error:
            _log.error("session.not_sealed", exc_info=error)

    async def _from_claim_to_seal(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            stop = await self._until_stopped()
            _log.info("session.stopping", kind=stop.kind.name, code=stop.code)
            await self._sealing.seal(stop, self._recording)
            self._seat.abandon()
            for task in list(self._children):
                task.cancel()

    async def _until_stopped(self) -> RunStop:
        try:
            self._clock_pair = await self._beginning.prepare()  # only the process's end ends this wait
        except ParleyError as error:
            return RunStop.found(Stop.failed(error.code, error.message))
        self._seat.start(self._group)
        while True:
            self._run.woken.clear()
            stop = await self._finders.first(boottime_ns())
            if stop is not None:
                return stop
            await set_within(self._run.woken, _TICK_SECONDS)

    def _decided_elsewhere(self, now_ns: int) -> RunStop | None:
        in_room = self._seat.room is not None
        return stop_from_database(self._run, self._tools.drain, in_room=in_room, now_ns=now_ns)

    def _spool_failed(self, now_ns: int) -> RunStop | None:
        return stop_from_spool(self._recording)

    async def _join_done(self, now_ns: int) -> RunStop | None:
        outcome = self._seat.take_outcome()
        return None if outcome is None else await self._landed(outcome)

    async def _room_looked_at(self, now_ns: int) -> RunStop | None:
        if self._seat.room is None:
            return None
        assert self._recording is not None
        if self._tools.drain.near:
            self._seat.room.keep_tails()
        return await self._watch.look(self._seat.room, self._recording, now_ns)

    def _seat_contested(self, now_ns: int) -> RunStop | None:
        return self._seat.contest(self._clock_pair, now_ns)

    def _time_is_up(self, now_ns: int) -> RunStop | None:
        if self._recording is None:
            return None
        self._recording.tick(now_ns)
        self._watch.name(self._recording, now_ns)
        return stop_from_clock(
            self._run,
            self._recording,
            self._presence,
            max_duration_seconds=self._claim.session.max_duration_seconds,
            now_ns=now_ns,
        )

    async def _landed(self, outcome: LiveKitRoom | ParleyError) -> RunStop | None:
        """The room is joined, or will not be."""
        landed_ns = boottime_ns()
        if isinstance(outcome, ParleyError):
            if self._recording is None or outcome.code in ("worker_token.rejected", "transport.url_not_allowed"):
                return RunStop.found(Stop.failed(outcome.code, outcome.message))
            return RunStop.found(Stop.failed("room.unreachable", "the room could not be joined again in time"))
        if self._recording is None:
            self._recording = await self._beginning.begin(outcome)
        if self._recording is None:
            await self._seat.leave()
        else:
            self._watch.begin(outcome, self._recording, landed_ns, boottime_ns())
        return None

    def _spawn(self, work: "asyncio._CoroutineLike[None]", name: str) -> "asyncio.Task[None]":
        task = self._group.create_task(work, name=name)
        self._children.add(task)
        task.add_done_callback(self._children.discard)
        return task
