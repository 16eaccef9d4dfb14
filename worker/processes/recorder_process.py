"""One recorder process: claims sessions, runs up to `sessions_per_process` of them, and hands over when it stops.

It retires when it has served enough: it takes no more sessions, ends with the last that it has, and hands over those
that are still there after `retire_seconds`. Its supervisor starts another one as soon as it says so.

Before LiveKit's native library is loaded, `worker.processes.signals.SIGNALS` must be blocked: its threads inherit
the mask.
"""

import asyncio
import random
import socket
from collections.abc import Callable
from uuid import UUID

import structlog

from sessions.errors import DatabaseError, DatabaseUnavailableError
from sessions.ids import format_id
from sessions.lifecycle.blame import WAIT_SECONDS
from store.database.boot_clock import SECOND_NS, boottime_ns
from store.runs.claimer import Claimer
from store.runs.claims import Claim, Claims
from store.runs.fence import Fence
from store.runs.look import Look, decide_look
from store.runs.poll_history import PollHistory
from store.set_within import set_within
from worker.joining.join_places import Arrivals, JoinPlaces
from worker.lease.live_run import LiveRun
from worker.processes.shedding import Shedding
from worker.run.recorder_tools import RecorderTools
from worker.run.session_runner import SessionRunner
from worker.vitals.process_figures import ProcessFigures
from worker.vitals.wear import MemoryMarks, Wear, Worn

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 1.0
_HELD_BACK_SECONDS = 0.25  # between looks while sessions wait for places in joining alone
_SEAL_MARGIN_SECONDS = 6.0  # less than the margin after which the supervisor kills


class RecorderProcess:
    """The loops of one process. `prepare_to_stop` and `stop` may be called at any time.

    Args:
        suspects: as many sessions that processes have died with it takes, at once, and ends with them, or when there
            are none for `WAIT_SECONDS`; 0: it takes all others, and goes on until it is told to stop, or retires.
        retires: called when it takes no more.
    """

    def __init__(
        self,
        tools: RecorderTools,
        claims: Claims,
        owner: UUID,
        suspects: int = 0,
        retires: Callable[[], object] = lambda: None,
    ) -> None:
        self._tools = tools
        self._claims = claims
        self.owner = owner
        self._suspects = suspects
        self._host = socket.gethostname()
        self._sessions: dict[UUID, asyncio.Task[None]] = {}
        self._arrivals = Arrivals()
        self._join_places = JoinPlaces(suspects or tools.settings.sessions_per_process)
        self._held_back = False
        self._wake = asyncio.Event()
        self._no_more_claims = False
        self._say_retires = retires
        self._retires = False
        settings = tools.settings
        self._wear = Wear(settings.recorder_sessions, MemoryMarks.of(settings))
        self._shedding = Shedding(claims, tools.joins, owner)
        self._stopping = asyncio.Event()
        self._polls = PollHistory(longest_pause_ns=round(5 * _POLL_SECONDS * SECOND_NS))

    def stop_claiming(self) -> None:
        """Take no more sessions; go on with those that run."""
        self._no_more_claims = True
        self._wake.set()

    def prepare_to_stop(self) -> None:
        """Take no more sessions, and lose nothing of the last words of those that run: `stop` is about to be called."""
        self.stop_claiming()
        self._tools.drain.come_near()
        for run in self._tools.beats.live:
            run.wake()

    def stop(self) -> None:
        """Release what runs, go on recording until evicted or until the grace period is over, then end."""
        self.prepare_to_stop()
        self._stopping.set()

    def wake(self) -> None:
        """There may be something to claim."""
        self._wake.set()

    def weigh(self, resident_bytes: int) -> None:
        """This process is that large now: past its soft mark it retires, and sheds what makes it grow."""
        self._wear.weigh(resident_bytes)
        if self._wear.worn:
            self._wake.set()

    @property
    def figures(self) -> ProcessFigures:
        """What the supervisor shows of this process."""
        runs = self._tools.beats.live
        return ProcessFigures(
            sessions_running=sum(run.joined for run in runs),
            slots_free=0 if self._no_more_claims or self._suspects else max(self._free, 0),
            sessions_served=self._wear.served,
            beats_failed=self._tools.beats.failed,
            audio_records_dropped=self._tools.spool_writer.dropped_records,
            uploads_pending=sum(run.uploads_pending for run in runs),
        )

    @property
    def _free(self) -> int:
        places = self._suspects or self._tools.settings.sessions_per_process
        free = places - len(self._sessions)
        return free if self._suspects else self._wear.left(free)

    async def run(self) -> None:
        """Claim and record until stopped and every session is sealed."""
        async with asyncio.TaskGroup() as sessions:
            await self._claim_until_told(sessions)
            if self._retires:
                await set_within(self._stopping, self._tools.settings.retire_seconds)
                self.stop()
            await self._stopping.wait()
            await self._release()
            deadline_ns = boottime_ns() + round(self._tools.settings.grace_seconds * SECOND_NS)
            self._tools.drain.begin(deadline_ns)
            if self._sessions:
                left = (deadline_ns - boottime_ns()) / SECOND_NS + _SEAL_MARGIN_SECONDS
                await asyncio.wait(list(self._sessions.values()), timeout=left)
            for task in self._sessions.values():
                task.cancel()

    async def _claim_until_told(self, sessions: asyncio.TaskGroup) -> None:
        born_ns = boottime_ns()
        while not self._no_more_claims:
            self._wake.clear()
            for claim, claimed_ns in await self._claim():
                self._start(sessions, claim, claimed_ns)
            if self._suspects and (self._sessions or boottime_ns() - born_ns > WAIT_SECONDS * SECOND_NS):
                self.stop_claiming()
                self._say_retires()
                self._end_with_the_last()
                return
            if self._wear.worn and not self._suspects:
                self._retire(sessions)
                return
            pause_seconds = _HELD_BACK_SECONDS if self._held_back else _POLL_SECONDS
            await set_within(self._wake, pause_seconds * random.uniform(0.8, 1.2))

    def _retire(self, sessions: asyncio.TaskGroup) -> None:
        self._retires = True
        self.stop_claiming()
        _log.info("recorder.retires", worn_by=self._wear.worn, served=self._wear.served, sessions=len(self._sessions))
        self._say_retires()
        if self._wear.worn is Worn.MEMORY:
            shedding = self._shedding.shed(self._tools.beats.live, self._arrivals.runs)
            sessions.create_task(shedding, name="shedding")
        self._end_with_the_last()

    async def _claim(self) -> list[tuple[Claim, int]]:
        settings = self._tools.settings
        joining = self._arrivals.by_organization() + self._tools.joins.abandoned_of
        places, self._held_back = self._free, False
        free = min(places, self._join_places.all - joining.total())
        if free < 1:
            self._held_back = places > 0
            return []
        sent_ns = boottime_ns()
        claimer = Claimer(
            owner=self.owner,
            host=self._host,
            free=free,
            known=tuple(self._sessions),
            may_judge_stale=self._polls.good_for_ns(sent_ns) >= settings.stalled_seconds * SECOND_NS,
            stalled_seconds=settings.stalled_seconds,
            quarantine=self._suspects > 0,
            joins_per_organization=self._join_places.of_one,
            joining=joining,
        )
        look = Look.THOROUGH if self._suspects else self._next_look()  # the runs that suspects have lost may be sealed
        try:
            claims = await self._claims.claim(claimer, look)
        except DatabaseError as error:
            self._polls.failed()
            if not isinstance(error, DatabaseUnavailableError):
                _log.error("claim.refused", code=error.code, error=error.__cause__)
            return []
        self._polls.succeeded(boottime_ns())
        self._held_back = len(claims) < places and (self._claims.held_back or len(claims) == free)
        return [(claim, sent_ns) for claim in claims]

    def _next_look(self) -> Look:
        return decide_look(self._claims.active, self._tools.settings.sessions_per_process, random.random())

    def _start(self, sessions: asyncio.TaskGroup, claim: Claim, claimed_ns: int) -> None:
        session_id = claim.session.id
        fence = Fence(session_id, claim.epoch, self.owner)
        run = LiveRun(fence, claimed_ns=claimed_ns, stalled_seconds=self._tools.settings.stalled_seconds)
        _log.info("session.claimed", session_id=format_id("sess", session_id), epoch=claim.epoch, resumed=claim.resumed)
        self._arrivals.add(claim.session.organization_id, run)
        task = sessions.create_task(SessionRunner(claim, run, self._tools).run(), name=f"session-{session_id}")
        self._sessions[session_id] = task
        self._wear.serve(1)
        task.add_done_callback(lambda _: self._ended(session_id))

    def _ended(self, session_id: UUID) -> None:
        del self._sessions[session_id]
        self._arrivals.remove(session_id)
        self._end_with_the_last()
        self._wake.set()

    def _end_with_the_last(self) -> None:
        if (self._suspects or self._retires) and self._no_more_claims and not self._sessions:
            self._stopping.set()

    async def _release(self) -> None:
        """Blame the sessions that made this process too large; when nobody knows which did, all young ones."""
        if not self._sessions:
            return
        too_large = self._wear.too_large
        if too_large:
            await self._shedding.shed(self._tools.beats.live, self._arrivals.runs)
        await self._shedding.release(lost=too_large and not self._shedding.has_found)
