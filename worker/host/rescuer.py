"""Releases the runs of dead recorder processes, so that others take the sessions within a second."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

import structlog

from store.runs.claims import RunKey
from worker.host.deaths import Deaths

_log = structlog.get_logger(__name__)


class ReleasesRuns(Protocol):
    """The part of `store.runs.claims.Claims` that is needed here."""

    async def release(self, owner: UUID, *, lost: bool) -> list[RunKey]:
        """End all unsealed runs of `owner`; returns which those were."""

    async def pardon(self, runs: Sequence[RunKey]) -> None:
        """Blame nobody for these lost runs."""


class RunRescuer:
    """Remembers dead owners until the database has heard of them.

    `released` runs when all are released, and pardoned as far as is known: their spools can be salvaged now, and who is
    a suspect can be looked up.
    """

    def __init__(self, claims: ReleasesRuns, released: Callable[[], object] = lambda: None) -> None:
        self.wake = asyncio.Event()
        self._claims = claims
        self._released = released
        self._dead: dict[UUID, bool] = {}
        self._deaths = Deaths()
        self._pardoned: set[UUID] = set()
        self._runs: dict[UUID, list[RunKey]] = {}

    def bury(self, owner: UUID, *, lost: bool) -> None:
        """Note that `owner` is dead; `lost` if it ended without handing its runs over."""
        self._dead[owner] = lost
        if lost:
            self._pardoned |= self._deaths.note(owner, time.monotonic())
        self.wake.set()

    async def rescue(self) -> None:
        """Release the runs of every dead owner, and pardon those that died together.

        Raises:
            DatabaseError: some are still to be released or pardoned; call again.
        """
        released = False
        try:
            while self._dead:  # also those that died meanwhile: with one of these they may have died together
                owner, lost = next(iter(self._dead.items()))
                await self._release(owner, lost)
                released = True
            await self._pardon()
        finally:
            if released:
                self._released()
        self._forget(time.monotonic())

    async def _release(self, owner: UUID, lost: bool) -> None:
        runs = await self._claims.release(owner, lost=lost)
        self._dead.pop(owner, None)  # two calls may overlap while the supervisor stops
        self._runs[owner] = runs
        if runs:
            _log.warning("runs.released", owner=str(owner), runs=len(runs), lost=lost)

    async def _pardon(self) -> None:
        for owner in self._pardoned & self._runs.keys():
            if runs := self._runs.get(owner, []):
                await self._claims.pardon(runs)
                _log.info("runs.pardoned", owner=str(owner), runs=len(runs))
            self._pardoned.discard(owner)
            self._runs.pop(owner, None)

    def _forget(self, now: float) -> None:
        for owner in self._deaths.forget(now):
            self._runs.pop(owner, None)
