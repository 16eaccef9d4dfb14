"""The beats of one process: one statement for all its runs, on a database connection of its own."""

import asyncio
import random
from uuid import UUID

import structlog

from sessions.errors import DatabaseError
from store.database.boot_clock import SECOND_NS, boottime_ns
from store.runs.runs import Runs
from store.set_within import set_within
from worker.lease.live_run import LiveRun

_log = structlog.get_logger(__name__)

_WATCH_SECONDS = 0.1
_STANDSTILL_NS = SECOND_NS
_RETRY_SECONDS = 1.0


class Beats:
    """Beats for every registered run, and closes their fences when no answer comes back.

    Its two loops run until canceled: `run` waits for the database, `watch_fences` never does. `failed` counts beats
    without an answer.
    """

    def __init__(self, runs: Runs, owner: UUID, *, heartbeat_seconds: float, stalled_seconds: float) -> None:
        self.failed = 0
        self._runs = runs
        self._owner = owner
        self._heartbeat_seconds = heartbeat_seconds
        self._stalled_seconds = stalled_seconds
        self._live: dict[UUID, LiveRun] = {}
        self._hurry = asyncio.Event()
        self._next_ns: int | None = None

    def add(self, run: LiveRun) -> None:
        """Beat for `run` from now on."""
        self._live[run.fence.session_id] = run

    def remove(self, run: LiveRun) -> None:
        """Stop beating for `run`."""
        if self._live.get(run.fence.session_id) is run:
            del self._live[run.fence.session_id]

    @property
    def live(self) -> list[LiveRun]:
        """The registered runs."""
        return list(self._live.values())

    def knows(self, session_id: UUID) -> bool:
        """Whether a run of this session is registered."""
        return session_id in self._live

    def messages_wait(self, session_id: UUID) -> None:
        """A message for a session may be waiting."""
        if (run := self._live.get(session_id)) is not None:
            run.messages.set()

    @property
    def next_ns(self) -> int | None:
        """When the next beat is to be sent (boot-time clock), unless it is hurried; None while one is under way."""
        return self._next_ns

    def hurry(self) -> None:
        """Beat at once: something has changed, or somebody needs to know whether it has."""
        self._hurry.set()

    async def run(self) -> None:
        """Beat every `heartbeat_seconds`, and whenever asked."""
        while True:
            self._hurry.clear()
            self._next_ns = None
            answered = await self._beat() if self._live else True
            pause = self._heartbeat_seconds if answered else min(_RETRY_SECONDS, self._heartbeat_seconds)
            seconds = pause * random.uniform(0.9, 1.0)
            self._next_ns = boottime_ns() + round(seconds * SECOND_NS)
            await self._pause(seconds, hurried=answered)

    async def watch_fences(self) -> None:
        """Look at every fence's deadline, also while the database hangs; a late look means a standstill."""
        looked_ns = boottime_ns()
        while True:
            now_ns = boottime_ns()
            for run in self.live:
                run.watch(now_ns)
                if now_ns - looked_ns > _STANDSTILL_NS:
                    run.stood_still(looked_ns, now_ns)
            looked_ns = now_ns
            await asyncio.sleep(_WATCH_SECONDS)

    async def _beat(self) -> bool:
        live = self.live
        beats = [run.beat() for run in live]
        sent_ns = boottime_ns()
        try:
            answer = await self._runs.beat(self._owner, beats, self._stalled_seconds)
        except DatabaseError as error:
            self.failed += 1
            _log.warning("beat.failed", runs=len(live), code=error.code, error=error.__cause__)
            return False
        for run, beat in zip(live, beats, strict=True):
            run.prove(sent_ns, joined=beat.joined, state=answer.runs.get(run.fence.session_id))
        return True

    async def _pause(self, seconds: float, *, hurried: bool) -> None:
        if not hurried:  # no hurry makes a database that is away answer sooner
            await asyncio.sleep(seconds)
            return
        await set_within(self._hurry, seconds)
