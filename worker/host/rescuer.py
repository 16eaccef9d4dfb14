"""Releases the runs of dead recorder processes, so that others take the sessions within a second.

One transaction writes both that a run is released and whether its session is to blame. It judges all processes that are
dead or dying by then. When another one dies later, but within a second, the judgment is corrected.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from uuid import UUID

import structlog

from store.runs.claims import DeadProcess, RunKey
from worker.host.deaths import Deaths

_log = structlog.get_logger(__name__)


class BuriesProcesses(Protocol):
    """The part of `store.runs.claims.Claims` that is needed here."""

    async def bury(self, dead: Sequence[DeadProcess], pardoned: Sequence[RunKey]) -> dict[UUID, list[RunKey]]:
        """End all unsealed runs of these, and blame nobody for the lost runs of `pardoned`; returns which ended."""


class RunRescuer:
    """Remembers dead owners until the database has heard of them.

    `released` is called when all are released: their spools can be salvaged then, and suspects be looked up. `blamed`
    is called when it is certain that a process died on its own, with the runs that were lost.
    """

    def __init__(
        self,
        claims: BuriesProcesses,
        released: Callable[[], object] = lambda: None,
        blamed: Callable[[Sequence[RunKey]], object] = lambda _: None,
    ) -> None:
        self.wake = asyncio.Event()
        self._claims = claims
        self._released = released
        self._blamed = blamed
        self._dead: dict[UUID, bool] = {}
        self._deaths = Deaths()
        self._pardoned: set[UUID] = set()  # and the database has not heard of it
        self._runs: dict[UUID, list[RunKey]] = {}  # that were lost in the last second, and are blamed on somebody

    @property
    def unburied(self) -> frozenset[UUID]:
        """The dead that the database has not heard of."""
        return frozenset(self._dead)

    def bury(self, owner: UUID, *, lost: bool, dying: Iterable[UUID] = ()) -> None:
        """Note that `owner` is dead.

        Args:
            lost: it ended without handing its runs over.
            dying: the owners that were killed, too, and are not dead yet.
        """
        self._dead[owner] = lost
        if lost:
            now = time.monotonic()
            for one in (owner, *dying):
                self._pardoned |= self._deaths.note(one, now)
        self.wake.set()

    async def rescue(self) -> None:
        """Release the runs of every dead owner, and pardon those that died together.

        Raises:
            DatabaseError: some are still to be released or pardoned; call again.
        """
        released = False
        try:
            while self._dead:  # also those that died meanwhile
                await self._release()
                released = True
        finally:
            if released:
                self._released()
        self._forget(time.monotonic())

    async def _release(self) -> None:
        dead = [DeadProcess(owner, lost, owner in self._pardoned) for owner, lost in self._dead.items()]
        earlier = self._pardoned & self._runs.keys()
        found = await self._claims.bury(dead, [run for owner in earlier for run in self._runs[owner]])
        for owner in earlier:
            if runs := self._runs.pop(owner, []):  # two calls may overlap while the supervisor stops
                _log.info("runs.pardoned", owner=str(owner), runs=len(runs))
        for process in dead:
            self._dead.pop(process.owner, None)
            runs = found.get(process.owner, [])
            if runs:
                how = {"lost": process.lost, "pardoned": process.pardoned}
                _log.warning("runs.released", owner=str(process.owner), runs=len(runs), **how)
            if process.lost and not process.pardoned:
                self._runs.setdefault(process.owner, []).extend(runs)
        self._pardoned -= earlier | {process.owner for process in dead if process.pardoned}

    def _forget(self, now: float) -> None:
        for owner in self._deaths.forget(now):
            if runs := self._runs.pop(owner, []):
                self._blamed(runs)
