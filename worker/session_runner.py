"""One session in this process, from the claim to the seal.

    join → mark_running → record (rejoin as often as the weather asks for) → stop → drain, seal, upload, leave

It is level-driven: beats, room events, the spool, timers and the drain leave their news where `_decide` looks at all of
it each time somebody wakes the runner. What a stop means for the session is decided here; what is written about it is
always under the fence (`store.runs`).
"""

import asyncio
from datetime import timedelta

import structlog

from sessions.errors import DatabaseUnavailableError, ParleyError
from sessions.lifecycle import SETTLED, Status
from sessions.session import Session
from store.claims import Claim
from store.clock import ClockPair
from store.fence import Replaced
from worker.boot_clock import SECOND_NS, boottime_ns
from worker.disconnects import Drop, meaning
from worker.live_run import LiveRun
from worker.livekit_room import LiveKitRoom
from worker.recorder_tools import RecorderTools
from worker.rejoin_policy import RejoinPolicy
from worker.room_events import (
    AudioSubscribed,
    AudioUnsubscribed,
    Disconnected,
    Reconnected,
    Reconnecting,
    RoomEvent,
    TokenRefreshed,
)
from worker.room_joining import RoomJoining
from worker.room_presence import RoomPresence
from worker.run_recording import RunRecording
from worker.stop import Stop, StopKind
from worker.token_keeper import TokenKeeper

_log = structlog.get_logger(__name__)

_TICK_SECONDS = 0.25
_RETRY_SECONDS = 1.0
_ZOMBIE_SECONDS = 180
_LEAST_SEAL_SECONDS = 60.0
_DRAIN_NS = SECOND_NS // 4


class SessionRunner:
    """Runs one claim. `run` returns when nothing of this run is left to do, and raises nothing but cancellation."""

    def __init__(self, claim: Claim, run: LiveRun, tools: RecorderTools) -> None:
        assert claim.session.transport is not None
        self._claim = claim
        self._session = claim.session
        self._transport = claim.session.transport
        self._run = run
        self._tools = tools
        self._wake = asyncio.Event()
        run.wake = self._wake.set
        self._token = TokenKeeper(claim.token, self._transport.room_name)
        self._joining = RoomJoining(
            tools.joins,
            run,
            self._transport,
            token=self._token.current,
            allow_private_hosts=tools.settings.allow_private_hosts,
        )
        self._presence = RoomPresence(
            claim.session.idle_timeout_seconds, somebody_came=claim.session.first_frame_at is not None
        )
        self._clock_pair: ClockPair | None = None
        self._recording: RunRecording | None = None
        self._room: LiveKitRoom | None = None
        self._join: asyncio.Task[LiveKitRoom | ParleyError] | None = None
        self._dropped_ns: int | None = None
        self._evicted_ns: int | None = None
        self._contested = False
        self._reconnecting_ns: int | None = None
        self._tracks_lost = False
        self._children: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """From claim to seal."""
        structlog.contextvars.bind_contextvars(session_id=str(self._session.id), epoch=self._claim.epoch)
        self._tools.beats.add(self._run)
        try:
            await self._run_guarded()
        finally:
            self._tools.beats.remove(self._run)
            if self._room is not None:
                await self._room.leave()

    async def _run_guarded(self) -> None:
        try:
            await self._from_claim_to_seal()
        except* Exception as group:  # a session never takes its neighbors down
            _log.error("session_crashed", exc_info=group)
            await self._give_up()

    async def _give_up(self) -> None:
        try:
            async with asyncio.timeout(self._seal_seconds):
                await self._finish(Stop.failed("internal", "the worker met something that it did not foresee"))
        except Exception as error:
            _log.error("session_not_sealed", exc_info=error)

    async def _from_claim_to_seal(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._clock_pair = await self._pair_clocks()
            self._start_joining(RejoinPolicy.lasting(boottime_ns(), self._first_join_seconds))
            stop = await self._until_stopped()
            _log.info("session_stopping", kind=stop.kind.name, code=stop.code)
            await self._finish(stop)
            for task in [*self._children, *([self._join] if self._join else [])]:
                task.cancel()

    @property
    def _first_join_seconds(self) -> float:
        settings = self._tools.settings
        return max(settings.join_seconds, settings.rejoin_seconds) if self._claim.resumed else settings.join_seconds

    @property
    def _seal_seconds(self) -> float:
        return max(self._tools.settings.salvage_seconds, _LEAST_SEAL_SECONDS)

    async def _pair_clocks(self) -> ClockPair:
        while True:
            try:
                return await self._tools.db.clock()
            except DatabaseUnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)

    # --- deciding

    async def _until_stopped(self) -> Stop:
        while True:
            self._wake.clear()
            stop = await self._decide(boottime_ns())
            if stop is not None:
                return stop
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _decide(self, now_ns: int) -> Stop | None:
        """One look at everything."""
        stop = self._stop_from_database(now_ns) or self._stop_from_spool()
        if stop is None and self._join is not None and self._join.done():
            stop = await self._landed(self._join)
        if stop is None and self._room is not None:
            stop = await self._look_into_room(self._room, now_ns)
        if stop is None and self._evicted_ns is not None:
            stop = self._contest(now_ns)
        if stop is None and self._recording is not None:
            self._recording.tick(now_ns)
            stop = self._stop_from_timers(self._recording, now_ns)
        return stop

    def _stop_from_database(self, now_ns: int) -> Stop | None:
        drain = self._tools.drain
        if drain.deadline_ns is not None and (self._room is None or now_ns >= drain.deadline_ns):
            return Stop(StopKind.REPLACED if self._run.replaced else StopKind.HANDED_OVER)
        if self._run.replaced and not drain.draining:
            return Stop(StopKind.REPLACED)
        state = self._run.state
        if state is not None and state.status in SETTLED:
            return Stop(StopKind.COMMANDED, code=state.end_reason, at=state.ending_at)
        return None

    def _stop_from_spool(self) -> Stop | None:
        code = None if self._recording is None else self._recording.failure
        return None if code is None else Stop.failed(code, "the worker could not write its spool")

    def _stop_from_timers(self, recording: RunRecording, now_ns: int) -> Stop | None:
        limit = recording.clock.started_at + timedelta(seconds=self._session.max_duration_seconds)
        if recording.clock.time_of(now_ns) >= limit:
            return Stop.ended("end.max_duration", at=limit)
        idle_ns = self._presence.idle_deadline_ns()
        paused = self._run.state is not None and self._run.state.status is Status.PAUSED
        if idle_ns is not None and now_ns >= idle_ns and not paused:
            return Stop.ended("end.idle_timeout")
        return None

    async def _look_into_room(self, room: LiveKitRoom, now_ns: int) -> Stop | None:
        for event in room.events.drain():
            self._presence.take(event, now_ns)
            stop = await self._handle(room, event, now_ns)
            if stop is not None or self._room is not room:
                return stop
        if self._run.fenced and (self._reconnecting_ns is not None or not room.connected):
            # A zombie's SDK reconnects by itself and evicts its healthy successor (tried).
            await self._drop(now_ns)
            return None
        if self._recording is not None:
            self._recording.follow_sine(room, self._presence, now_ns)
        return None

    async def _handle(self, room: LiveKitRoom, event: RoomEvent, now_ns: int) -> Stop | None:
        recording = self._recording
        assert recording is not None
        match event:
            case AudioSubscribed(track=track):
                append = recording.recorder.open_track(track)
                self._spawn(recording.read(room, track.sid, append), f"track-{track.sid}")
            case AudioUnsubscribed(sid=sid):
                recording.recorder.close_track(sid)
                self._tracks_lost = True
            case Reconnecting():
                self._reconnecting_ns, self._tracks_lost = now_ns, False
            case Reconnected():
                if self._reconnecting_ns is not None and self._tracks_lost:
                    recording.gap("gap.rejoin", self._reconnecting_ns, now_ns)
                self._reconnecting_ns = None
            case TokenRefreshed(token=token):
                expires_at = self._token.refresh(token, recording.clock.time_of(now_ns))
                if expires_at is not None and not self._run.fenced:
                    self._spawn(recording.save_token(token, expires_at), "save-token")
            case Disconnected(reason=reason):
                return await self._disconnected(reason, now_ns)
        return None

    async def _disconnected(self, reason: str, now_ns: int) -> Stop | None:
        _log.info("room_lost", reason=reason)
        match meaning(reason):
            case Drop.CLOSED:
                return Stop.ended("end.room_closed")
            case Drop.REMOVED:
                return Stop.ended("end.removed")
            case Drop.REFUSED:
                return Stop.failed("room.join_failure", "the LiveKit server did not let the worker join")
            case Drop.DUPLICATE:
                await self._drop(now_ns, rejoin=False)
                self._evicted_ns = now_ns
                self._tools.beats.hurry()
            case Drop.ASKED | Drop.WEATHER:
                await self._drop(now_ns)
        return None

    def _contest(self, now_ns: int) -> Stop | None:
        """Somebody joined with our identity. The database knows whether that was our successor."""
        assert self._evicted_ns is not None
        if self._run.replaced:
            return Stop(StopKind.REPLACED)
        if self._run.proven_ns <= self._evicted_ns:
            return None  # silent: wait, decide nothing
        lost_at = self._claim.previous_lost_at
        assert self._clock_pair is not None
        recent = lost_at is not None and (
            self._clock_pair.db_time_at(now_ns) - lost_at < timedelta(seconds=_ZOMBIE_SECONDS)
        )
        self._evicted_ns = None
        if recent and not self._contested:
            self._contested = True  # it may have been our own zombie's reconnect: once
            self._start_joining(self._rejoin_policy(now_ns))
            return None
        return Stop.failed("room.duplicate_identity", "somebody else joined with the worker's identity")

    # --- joining and dropping

    def _start_joining(self, policy: RejoinPolicy) -> None:
        self._join = self._group.create_task(self._joining.join(policy, dropped_ns=self._dropped_ns), name="joining")
        self._join.add_done_callback(lambda _: self._wake.set())

    def _rejoin_policy(self, now_ns: int) -> RejoinPolicy:
        since_ns = self._run.joined_proven_ns or now_ns
        return RejoinPolicy.lasting(since_ns, self._tools.settings.rejoin_seconds)

    async def _landed(self, join: "asyncio.Task[LiveKitRoom | ParleyError]") -> Stop | None:
        """The room is joined, or will not be."""
        self._join = None
        outcome = join.result()
        if isinstance(outcome, ParleyError):
            if self._recording is None or outcome.code in ("worker_token.rejected", "transport.url_not_allowed"):
                return Stop.failed(outcome.code, outcome.message)
            return Stop.failed("room.unreachable", "the room could not be joined again in time")
        self._room = outcome
        outcome.events.notify(self._wake.set)
        try:
            if self._recording is None and not await self._begin_recording():
                return None
        except ParleyError as error:
            return Stop.failed(error.code, error.message)
        recording = self._recording
        assert recording is not None
        now_ns = boottime_ns()
        self._run.joined = True
        if self._dropped_ns is not None:
            recording.gap("gap.rejoin", self._dropped_ns, now_ns)
            self._dropped_ns = None
            self._tools.beats.hurry()
        self._presence.entered(now_ns)
        recording.entered(outcome)
        outcome.subscribe_audio()
        return None

    async def _begin_recording(self) -> bool:
        """From `starting` to `running`; False when that is not ours to do any more (`_decide` finds out why).

        Raises:
            ParleyError: the spool cannot be written.
        """
        recording = RunRecording(self._claim, self._run, self._tools, self._wake.set, self._spawn)
        await asyncio.to_thread(recording.open_spool)
        self._run.joined = True  # before the transition, so that no beat in between says otherwise
        session = await self._mark_running()
        if session is None or session.status in SETTLED or session.started_at is None:
            self._run.joined = False
            self._tools.beats.hurry()
            await self._leave_room()
            return False
        assert self._clock_pair is not None
        self._session = session
        recording.begin(session.started_at, self._clock_pair)
        if self._claim.resumed and self._claim.gap_from is not None:
            recording.gap_since(self._claim.gap_from, boottime_ns())
        self._recording = recording
        _log.info("session_running", resumed=self._claim.resumed)
        return True

    async def _mark_running(self) -> Session | None:
        while not self._run.replaced:
            try:
                return await self._tools.runs.mark_running(self._run.fence)
            except Replaced:
                self._run.replaced = True
            except DatabaseUnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)
        return None

    async def _drop(self, now_ns: int, *, rejoin: bool = True) -> None:
        """The room is lost; recording goes on with a hole."""
        self._dropped_ns = now_ns
        self._reconnecting_ns = None
        self._run.joined = False
        self._presence.dropped(now_ns)
        await self._leave_room()
        if self._recording is not None:
            self._recording.dropped()
        if rejoin:
            self._tools.beats.hurry()
            self._start_joining(self._rejoin_policy(now_ns))

    async def _leave_room(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            await room.leave()

    # --- stopping

    async def _finish(self, stop: Stop) -> None:
        """Write the stop, leave, drain, seal, upload. Bounded by the time after which finalizing goes on without us."""
        now_ns = boottime_ns()
        recording = self._recording
        if recording is not None and self._room is None and self._dropped_ns is not None:
            recording.gap("gap.rejoin", self._dropped_ns, now_ns)
        ending_at = stop.at
        if stop.kind is StopKind.FOUND:
            session = await self._write_stop(stop)
            ending_at = session.ending_at if session is not None else None
        if ending_at is not None and recording is not None and stop.code != "cancel.requested":
            await self._drain_room(recording.clock.boottime_of(recording.clock.sample_of(ending_at)))
        await self._leave_room()
        try:
            async with asyncio.timeout(self._seal_seconds):
                if recording is not None:
                    await recording.finish(ending_at, self._tools.beats, now_ns)
                await self._seal_run()
        except TimeoutError:
            _log.error("session_not_sealed", kind=stop.kind.name)  # the spool stays; salvage has the next try
            return
        _log.info("session_sealed", kind=stop.kind.name)

    async def _drain_room(self, ending_ns: int) -> None:
        """What was said before the end is still on its way to us."""
        if self._room is not None and self._room.connected:
            left_ns = ending_ns + _DRAIN_NS - boottime_ns()
            await asyncio.sleep(min(max(left_ns, 0), _DRAIN_NS) / SECOND_NS)

    async def _write_stop(self, stop: Stop) -> Session | None:
        assert stop.outcome is not None
        assert stop.code is not None
        while not self._run.replaced:
            try:
                return await self._tools.runs.enter_ending(
                    self._run.fence, stop.outcome, stop.code, stop.message, stop.at
                )
            except Replaced:
                self._run.replaced = True
            except DatabaseUnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)
        return None

    async def _seal_run(self) -> None:
        while True:
            try:
                await self._tools.runs.seal(self._run.fence)
            except DatabaseUnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    def _spawn(self, work: "asyncio._CoroutineLike[None]", name: str) -> "asyncio.Task[None]":
        task = self._group.create_task(work, name=name)
        self._children.add(task)
        task.add_done_callback(self._children.discard)
        return task
