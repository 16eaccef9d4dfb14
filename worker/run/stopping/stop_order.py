"""In which order a run looks for a reason to stop: of two reasons at once, the one that stands first counts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from worker.run.stopping.run_stop import RunStop

Finder = Callable[[int], RunStop | Awaitable[RunStop | None] | None]
"""Looks for one kind of reason at an instant of the boot-time clock (nanoseconds); None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFinders:
    """Where a stop may come from. Those behind a reason that was found are not asked any more, nor do their work.

    Attributes:
        elsewhere: the database (somebody stopped the session, or another run has it), or this process's own end.
        spool: what was recorded can't be written.
        join: a join that has just been done.
        room: what has happened in the room.
        contest: somebody else has joined with the worker's identity.
        clock: the session has lasted as long as it may, or nobody has been there for too long.
    """

    elsewhere: Finder
    spool: Finder
    join: Finder
    room: Finder
    contest: Finder
    clock: Finder

    @property
    def in_order(self) -> tuple[Finder, ...]:
        """The finders, the one that is asked first in front."""
        return (
            # What is decided elsewhere is written already, or not this run's to write: nothing found here may compete.
            self.elsewhere,
            # Without a spool nothing more is kept: a room that closes at that moment must not pass for a good end, and
            # a join that lands then has nothing to be recorded into.
            self.spool,
            # A join that is done brings the room that the next finder looks at.
            self.join,
            # The room's events say who is there and who was thrown out, which the next two finders judge.
            self.room,
            # An eviction is judged as soon as the room has told of it. It may start a rejoin, so that the run goes on.
            self.contest,
            # Time runs out whatever happens, so any reason that somebody gave is a better one. It stands last also
            # because idleness is judged by whoever the room has just told of.
            self.clock,
        )

    async def first(self, now_ns: int) -> RunStop | None:
        """Ask one after the other; the first reason to stop, or None."""
        for find in self.in_order:
            found = find(now_ns)
            stop = await found if isinstance(found, Awaitable) else found
            if stop is not None:
                return stop
        return None
