"""What a recorder process gives away when it has grown too large: what grows, and what is on its way.

Its neighbors go on: they are handed over like those of any process that stops.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import structlog

from sessions.errors import DatabaseError
from store.runs.claims import Claims
from worker.guard.traffic import Traffic
from worker.joining.joins import Joins
from worker.lease.live_run import LiveRun

_log = structlog.get_logger(__name__)

_COUNT_SECONDS = 3.0
_RELEASE_SECONDS = 5.0
_GROWS_SHARE = 0.25


def growing(traffic: Mapping[UUID, Sequence[Traffic]]) -> frozenset[UUID]:
    """Sessions whose rooms' servers send a large part of what they may at all: nothing honest does."""
    return frozenset(
        session_id
        for session_id, connections in traffic.items()
        if any(one.share > _GROWS_SHARE for one in connections)
    )


class Shedding:
    """Gives runs of `owner`, which this process has, to whoever claims them.

    `has_found`: some of them made the process grow.
    """

    def __init__(self, claims: Claims, joins: Joins, owner: UUID) -> None:
        self._claims = claims
        self._joins = joins
        self._owner = owner
        self.has_found = False

    async def find_growing(self) -> frozenset[UUID]:
        """The sessions that make this process grow, as far as the guard can tell."""
        try:
            async with asyncio.timeout(_COUNT_SECONDS):
                return growing(await self._joins.traffic())
        except TimeoutError:
            return frozenset()

    async def shed(self, live: Iterable[LiveRun], on_the_way: Iterable[LiveRun]) -> None:
        """Give away what grows, which is blamed for it, and what is `on_the_way` into its room, which is not.

        Args:
            live: the runs that beats are sent of.
            on_the_way: those that have not been in their rooms yet.
        """
        self._joins.hurry()
        waiting = {run.fence.session_id: run for run in (*on_the_way, *(run for run in live if run.lost))}
        runs = {run.fence.session_id: run for run in live} | waiting
        grown = await self.find_growing() & runs.keys()
        self.has_found = self.has_found or bool(grown)
        _log.warning("recorder.sheds", growing=len(grown), joining=len(waiting.keys() - grown))
        for sessions, lost in ((grown, True), (waiting.keys() - grown, False)):
            if sessions:
                await self.release(lost=lost, only=sessions)
                for session_id in sessions:
                    runs[session_id].drop()

    async def release(self, *, lost: bool, only: Collection[UUID] | None = None) -> None:
        """Let others claim this process's runs, all or some; if that fails they are stale soon, and then taken."""
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                released = await self._claims.release(self._owner, lost=lost, only=only)
        except (DatabaseError, TimeoutError):
            _log.warning("runs.not_released")
        else:
            _log.info("runs.released", runs=len(released), lost=lost)
