"""The worker's seat in one session's room: joined, lost, joined again, or taken by somebody else."""

import asyncio
from datetime import timedelta

from sessions.errors import ParleyError
from sessions.lifecycle.stop import Stop
from store.database.boot_clock import boottime_ns
from store.database.clock import ClockPair
from store.runs.claims import Claim
from worker.joining.rejoin_policy import RejoinPolicy
from worker.joining.room_joining import RoomJoining
from worker.lease.live_run import LiveRun
from worker.room.livekit.room import LiveKitRoom
from worker.run.recorder_tools import RecorderTools
from worker.run.stopping.run_stop import RunStop, StopKind

_ZOMBIE_SECONDS = 180


class RoomSeat:
    """Holds the room while there is one, and a join while there is none.

    Attributes:
        room: the room that the worker is in.
        dropped_ns: when the last one was lost (boot-time clock); None once its successor is `seated`.
    """

    def __init__(self, claim: Claim, run: LiveRun, tools: RecorderTools, joining: RoomJoining) -> None:
        self.room: LiveKitRoom | None = None
        self.dropped_ns: int | None = None
        self._claim = claim
        self._run = run
        self._tools = tools
        self._joining = joining
        self._join: asyncio.Task[LiveKitRoom | ParleyError] | None = None
        self._evicted_ns: int | None = None
        self._contested = False

    def start(self, group: asyncio.TaskGroup) -> None:
        """Join for the first time; this and later joins run in `group`, and the run is woken as each is done."""
        self._group = group
        self._start_joining(RejoinPolicy.lasting(boottime_ns(), self._first_join_seconds))

    @property
    def _first_join_seconds(self) -> float:
        settings = self._tools.settings
        return max(settings.join_seconds, settings.rejoin_seconds) if self._claim.resumed else settings.join_seconds

    def take_outcome(self) -> LiveKitRoom | ParleyError | None:
        """The result of a join that is done, handed out once; None while it is under way, or there is none."""
        if self._join is None or not self._join.done():
            return None
        outcome = self._join.result()
        self._join = None
        if isinstance(outcome, LiveKitRoom):
            self.room = outcome
            outcome.events.notify(self._run.wake)
        return outcome

    def seated(self) -> None:
        """The room that was joined is being recorded."""
        self._run.seat()
        if self.dropped_ns is not None:
            self.dropped_ns = None
            self._tools.beats.hurry()

    async def lose(self, now_ns: int) -> None:
        """The room is lost: leave what is left of it."""
        self.dropped_ns = now_ns
        self._run.lose()
        await self.leave()

    def rejoin(self, now_ns: int) -> None:
        """Try to get back in, as soon as a beat has proven that the session is still this run's."""
        since_ns = self._run.joined_proven_ns or now_ns
        self._tools.beats.hurry()
        self._start_joining(RejoinPolicy.lasting(since_ns, self._tools.settings.rejoin_seconds))

    def evicted(self, now_ns: int) -> None:
        """Somebody joined with the worker's identity; `contest` finds out who."""
        self._evicted_ns = now_ns
        self._tools.beats.hurry()

    def contest(self, pair: ClockPair, now_ns: int) -> RunStop | None:
        """What an eviction means: by a successor, that it has the session; by a stranger, that the session fails.

        The database knows the successor, so nothing is decided before a beat has come back.
        """
        if self._evicted_ns is None:
            return None
        if self._run.replaced:
            return RunStop(StopKind.REPLACED)
        if self._run.proven_ns <= self._evicted_ns:
            return None  # no beat has come back since: the successor, if any, is not known yet
        lost_at = self._claim.previous_lost_at
        recent = lost_at is not None and pair.db_time_at(now_ns) - lost_at < timedelta(seconds=_ZOMBIE_SECONDS)
        self._evicted_ns = None
        if recent and not self._contested:
            self._contested = True  # perhaps a lost predecessor's SDK reconnected by itself: try once more
            self.rejoin(now_ns)
            return None
        return RunStop.found(Stop.failed("room.duplicate_identity", "somebody else joined with the worker's identity"))

    async def leave(self) -> None:
        """Leave the room, if the worker is in one."""
        room, self.room = self.room, None
        if room is not None:
            await room.leave()

    def abandon(self) -> None:
        """Stop waiting for a join; it is left when it lands."""
        if self._join is not None:
            self._join.cancel()

    def _start_joining(self, policy: RejoinPolicy) -> None:
        self._join = self._group.create_task(self._joining.join(policy, dropped_ns=self.dropped_ns), name="joining")
        self._join.add_done_callback(lambda _: self._run.wake())
