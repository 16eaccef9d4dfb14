"""Releases the runs of dead recorder processes, so that others take the sessions within a second."""

import asyncio
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import structlog

_log = structlog.get_logger(__name__)


class ReleasesRuns(Protocol):
    """The part of `store.runs.claims.Claims` that is needed here."""

    async def release(self, owner: UUID, *, lost: bool) -> int:
        """End all unsealed runs of `owner`; returns how many those were."""


class RunRescuer:
    """Remembers dead owners until the database has heard of them.

    `released` runs after each release: their spools can be salvaged now.
    """

    def __init__(self, claims: ReleasesRuns, released: Callable[[], object] = lambda: None) -> None:
        self.wake = asyncio.Event()
        self._claims = claims
        self._released = released
        self._dead: dict[UUID, bool] = {}

    def bury(self, owner: UUID, *, lost: bool) -> None:
        """Note that `owner` is dead; `lost` if it ended without handing its runs over."""
        self._dead[owner] = lost
        self.wake.set()

    async def rescue(self) -> None:
        """Release the runs of every dead owner.

        Raises:
            DatabaseUnavailableError: some are still to be released; call again.
        """
        for owner, lost in list(self._dead.items()):
            runs = await self._claims.release(owner, lost=lost)
            self._dead.pop(owner, None)  # two calls may overlap while the supervisor stops
            if runs:
                _log.warning("runs.released", owner=str(owner), runs=runs, lost=lost)
            self._released()
