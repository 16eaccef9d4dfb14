"""Starts a process for each suspect: a session with which processes have died harms no neighbors there.

A process takes longer to start than a session to be taken over. So when a process has died, and one of its sessions may
have killed it, spares are started: as many as there would be suspects if the next process died with all of these
sessions.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol
from uuid import UUID

import structlog

from sessions.errors import DatabaseError
from sessions.lifecycle.blame import quarantine_sizes
from store.runs.claims import RunKey, Suspect

_log = structlog.get_logger(__name__)

SPARE_SECONDS = 0.5  # between the starts of two spares: each takes a fifth of a second of a core from those that record
_TAKEN_SECONDS = 2.0  # a process that waits for suspects, or is started for some, has taken them by then
_OTHERS_SECONDS = 2.0  # so long a suspect is left to the host on which it was lost
_UNASKED_EVERY = 10  # of the looks that nothing here gave a reason for: other hosts look as well
_EXPECTED_SECONDS = 10.0  # after a death, in which spares are started: all of them are by then


class KnowsSuspects(Protocol):
    """The part of `store.runs.claims.Claims` that is needed here."""

    async def suspects(self, waited_seconds: float) -> list[Suspect]:
        """Those that wait for a process of their own, and have for so long."""

    async def all_back(self, sessions: Collection[UUID]) -> bool:
        """Whether each of these, which have lost a run, is in its room again or needs no other run."""


class StartsQuarantines(Protocol):
    """The part of `worker.host.supervisor.Supervisor` that is needed here."""

    @property
    def free_quarantines(self) -> int:
        """How many more processes for suspects there should be; may be negative."""

    @property
    def waiting_quarantines(self) -> Sequence[int]:
        """How many suspects each of those takes that have not taken any yet."""

    def open_quarantine(self, sessions: int) -> None:
        """Start a process that takes so many suspects."""


class Quarantine:
    """Looks for suspects whenever `wake` is set, as after each release, and now and then for those of other hosts."""

    def __init__(
        self, claims: KnowsSuspects, processes: StartsQuarantines, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.wake = asyncio.Event()
        self._claims = claims
        self._processes = processes
        self._now = now
        self._own = True  # they may have waited for this host to start
        self._seen: dict[RunKey, float] = {}
        self._expected: frozenset[UUID] = frozenset()
        self._expected_until = 0.0

    def released(self) -> None:
        """Runs of this host were released: some may be suspects'. No spare is started until they are judged."""
        self._own, self._expected = True, frozenset()
        self.wake.set()

    def expect(self, lost: Sequence[RunKey]) -> None:
        """A process of this host has died with these runs: one of their sessions may have killed it, and may again."""
        self._expected = frozenset(run.session_id for run in lost)
        self._expected_until = self._now() + _EXPECTED_SECONDS

    async def keep_spares(self) -> None:
        """Start one of the spares that are missing, unless the sessions that may need them are on their way back.

        Raises:
            DatabaseError: call again.
        """
        if self._now() >= self._expected_until or self._spare() is None:
            return
        if await self._claims.all_back(self._expected) and (size := self._spare()) is not None:
            self._start([size])

    def _spare(self) -> int | None:
        """How many suspects the next spare takes; None if there are as many as may be needed, or as there may be."""
        missing = len(self._expected) - sum(self._processes.waiting_quarantines)
        free = self._processes.free_quarantines
        return quarantine_sizes(missing, 0, free)[0] if missing > 0 and free > 0 else None

    async def look(self) -> None:
        """Start processes for the suspects that have none.

        Raises:
            DatabaseError: call again.
        """
        own, self._own = self._own, False
        if not own and random.random() * _UNASKED_EVERY >= 1:
            return
        waiting: Sequence[int] = self._processes.waiting_quarantines  # as it was before: these may take what is found
        try:
            found = await self._claims.suspects(0 if own else _OTHERS_SECONDS)
        except DatabaseError:
            self._own = True
            raise
        self._own = self._own or bool(found)  # until each of them was taken
        now = self._now()
        self._seen = {suspect.run: self._seen.get(suspect.run, now) for suspect in found}
        if any(now - seen >= _TAKEN_SECONDS for seen in self._seen.values()):
            waiting, self._seen = [], {}  # whatever keeps these from taking them
        alone = sum(suspect.alone for suspect in found)
        shared, alone = _without_process(len(found) - alone, alone, waiting)
        self._start(quarantine_sizes(shared, alone, self._processes.free_quarantines))

    def _start(self, sizes: Sequence[int]) -> None:
        for size in sizes:
            _log.warning("quarantine.opened", sessions=size)
            self._processes.open_quarantine(size)


def _without_process(shared: int, alone: int, waiting: Sequence[int]) -> tuple[int, int]:
    """How many of so many suspects have no process that waits for them, in the worst order in which they are taken."""
    left = sorted(waiting)[: max(len(waiting) - alone, 0)]
    return max(shared - sum(left), 0), max(alone - len(waiting), 0)
