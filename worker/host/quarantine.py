"""Starts a process for each suspect, so that it harms no neighbors, and waits for nobody's place."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from sessions.errors import DatabaseError
from sessions.lifecycle.blame import quarantine_sizes
from store.runs.claims import RunKey, Suspect

_log = structlog.get_logger(__name__)

_CLAIMED_SECONDS = 2.0  # a process that was started for a suspect has claimed it by then
_OTHERS_SECONDS = 2.0  # so long a suspect is left to the host on which it was lost
_UNASKED_EVERY = 10  # of the looks that nothing here gave a reason for: other hosts look as well


class KnowsSuspects(Protocol):
    """The part of `store.runs.claims.Claims` that is needed here."""

    async def suspects(self, waited_seconds: float) -> list[Suspect]:
        """Those that wait for a process of their own, and have for so long."""


class Quarantine:
    """Looks for suspects whenever `wake` is set, as after each release, and now and then for those of other hosts.

    Args:
        start: starts a process that takes so many suspects.
        free_places: how many more there should be of such processes.
    """

    def __init__(self, claims: KnowsSuspects, start: Callable[[int], object], free_places: Callable[[], int]) -> None:
        self.wake = asyncio.Event()
        self._claims = claims
        self._start = start
        self._free_places = free_places
        self._own = True  # they may have waited for this host to start
        self._started: dict[RunKey, float] = {}

    def released(self) -> None:
        """Runs of this host were released: some may be suspects'."""
        self._own = True
        self.wake.set()

    async def look(self) -> None:
        """Start processes for the suspects that have none.

        Raises:
            DatabaseError: call again.
        """
        own, self._own = self._own, False
        if not own and not self._started and random.random() * _UNASKED_EVERY >= 1:
            return
        now = time.monotonic()
        self._started = {run: at for run, at in self._started.items() if now - at < _CLAIMED_SECONDS}
        try:
            found = await self._claims.suspects(0 if own or self._started else _OTHERS_SECONDS)
        except DatabaseError:
            self._own = True
            raise
        waiting = [suspect for suspect in found if suspect.run not in self._started]
        alone = sum(suspect.alone for suspect in waiting)
        for size in quarantine_sizes(len(waiting) - alone, alone, self._free_places()):
            _log.warning("quarantine.opened", sessions=size)
            self._start(size)
        self._started |= {suspect.run: now for suspect in waiting}
