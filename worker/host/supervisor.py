"""`parley worker`: keeps N recorder processes and those for all other work alive, and cleans up after the dead.

It never loads LiveKit's native library, so that it can fork at any time and outlives every crash of it. Each recorder
is given the UUID that its runs carry. So its runs are released at once when it dies, however that happens. One that
retires is replaced at once, and goes on beside its successor until its last session is over. Some of the other
processes run only while they are needed: they end by themselves, and are started again when there is work.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from structlog.typing import FilteringBoundLogger

from sessions.errors import DatabaseError
from sessions.ids import new_uuid
from worker.host.children.child import DRAIN, STOP_CLAIMING, Child, Running
from worker.host.children.keeping import keep
from worker.host.children.open_quarantines import OpenQuarantines
from worker.host.children.recorder_roster import RecorderRoster
from worker.host.children.watchdog import (
    kill_when_silent,
    kill_when_too_large,
    replace_when_too_large,
    wait_until_it_retires,
)
from worker.host.needs import Needs
from worker.host.rescuer import RunRescuer
from worker.vitals.process_memory import resident_bytes
from worker.vitals.pulse import Pulse
from worker.vitals.wear import MemoryMarks

_log: FilteringBoundLogger = structlog.get_logger(__name__)

# A child that lived that long is replaced at once, and its past forgotten. Sessions wait for a recorder, and one that
# kills it is soon in quarantine; to fork one costs a fifth of a second of a core.
_HEALTHY_SECONDS = 30.0
_HEALTHY_RECORDER_SECONDS = 1.0
_CLAIMS_SETTLE_SECONDS = 0.25  # for claims that were under way when all were told to stop
_OTHERS_DRAIN_SECONDS = 5.0
_LAST_RESCUE_SECONDS = 3.0
_NO_MARKS = MemoryMarks(3 << 30, 3 << 30)


@dataclass(frozen=True, slots=True)
class ChildCommands:
    """How to start children.

    Attributes:
        record: starts a recorder process, given the owner of its runs, how many suspects it is for (0: for
            everybody else), and the descriptor of the pulse that it is to give. Raises OSError.
        work: starts another process by its name. Raises OSError.
        always: names of those that always run, one each.
        on_demand: names of those that run while they are needed, and exit with 0 when they have nothing to do.
    """

    record: Callable[[UUID, int, int], Awaitable[Running]]
    work: Callable[[str], Awaitable[Running]]
    always: Sequence[str]
    on_demand: Sequence[str] = ()


class Supervisor:
    """The children of one `parley worker`.

    Asked to stop, recorders have `grace_seconds` to be replaced by others, and `margin_seconds` to seal and upload.
    One that gives no pulse for `silence_seconds` is killed. One that has grown past the hard one of `marks` is
    replaced, and has as long to hand over as when all stop; one for suspects is killed. `memory` tells how many bytes
    a process has.
    """

    def __init__(
        self,
        commands: ChildCommands,
        rescuer: RunRescuer,
        *,
        processes: int,
        grace_seconds: float,
        silence_seconds: float,
        margin_seconds: float = 20,
        quarantines: int = 4,
        marks: MemoryMarks = _NO_MARKS,
        memory: Callable[[int], int] = resident_bytes,
    ) -> None:
        self.deaths = 0
        self.retirements = 0
        self._marks = marks
        self._memory = memory
        self._commands = commands
        self._rescuer = rescuer
        self._processes = processes
        self._grace_seconds = grace_seconds
        self._silence_seconds = silence_seconds
        self._margin_seconds = margin_seconds
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._recorders = RecorderRoster()
        self._quarantines = OpenQuarantines(quarantines)
        self._handing_over: set[Child] = set()
        self._others: set[Child] = set()
        self._lacking = set(commands.always)  # and not to be waited for: what ended by itself, as it should
        self.needs = Needs(commands.on_demand)

    @property
    def live_owners(self) -> frozenset[UUID]:
        """The owners whose recorder processes run."""
        return frozenset(self._recorders.all)

    @property
    def regular_owners(self) -> frozenset[UUID]:
        """Those of them that take sessions, and were not started for suspects."""
        return frozenset(self._recorders.regular)

    @property
    def recorder_places(self) -> dict[UUID, str]:
        """Owner and place (`recorder-0`, …, `retired-0`, …, `quarantine-0`, …) of the recorder processes that run."""
        return dict(self._recorders.places)

    def memory_of(self, owner: UUID) -> int:
        """How many bytes a recorder process has; 0 if there is none."""
        child = self._recorders.all.get(owner)
        return 0 if child is None else self._memory(child.pid)

    @property
    def free_quarantines(self) -> int:
        """How many more processes for suspects there should be. May be negative."""
        return self._quarantines.free

    @property
    def waiting_quarantines(self) -> list[int]:
        """How many suspects each of the processes takes that were started for some and have not taken any yet."""
        return self._quarantines.waiting

    @property
    def is_complete(self) -> bool:
        """Whether every child runs but those that are not needed, and none is told to stop."""
        return len(self._recorders.regular) == self._processes and not self._lacking and not self._stopping.is_set()

    def stop(self) -> None:
        """Begin to stop; asked again, kill what still runs (its spools are salvaged at the next start)."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()
        self.needs.end()

    async def run(self) -> None:
        """Keep the children alive until `stop()`, then drain them."""
        async with self._group:
            for slot in range(self._processes):
                self._group.create_task(self._keep_recorder(slot), name=f"recorder-{slot}")
            for name in (*self._commands.always, *self._commands.on_demand):
                self._group.create_task(self._keep_other(name), name=name)
            await self._stopping.wait()
            await self._drain()
        with contextlib.suppress(TimeoutError, DatabaseError):
            async with asyncio.timeout(_LAST_RESCUE_SECONDS):
                await self._rescuer.rescue()

    def open_quarantine(self, sessions: int) -> None:
        """Start a process for so many suspects; it ends with them, or when there are none, and is not replaced.

        No-op once told to stop.
        """
        if self._stopping.is_set():
            return
        name = self._quarantines.open(sessions)
        self._group.create_task(self._run_quarantine(name, sessions), name=name)

    async def _run_quarantine(self, name: str, sessions: int) -> None:
        try:
            await self._record(name, new_uuid(), sessions)
        except OSError as error:
            _log.error("child.not_started", error=error)
        finally:
            self._quarantines.close(name)

    async def _keep_recorder(self, slot: int) -> None:
        async def live() -> None:
            name = f"recorder-{slot}"
            over = asyncio.get_running_loop().create_future()
            self._group.create_task(self._record_until(name, over), name=name)
            await over

        await keep(live, self._stopping, healthy_seconds=_HEALTHY_RECORDER_SECONDS)

    async def _record_until(self, name: str, over: "asyncio.Future[None]") -> None:
        """A recorder's whole life; `over` is set as soon as its place is free, or to the error of its start."""
        owner = new_uuid()

        def retire() -> None:
            if over.done():
                return
            self.retirements += 1
            self._recorders.retire(owner)
            over.set_result(None)

        try:
            await self._record(name, owner, 0, retire)
        except OSError as error:
            over.set_exception(error)
        else:
            if not over.done():
                over.set_result(None)

    async def _record(self, name: str, owner: UUID, suspects: int, retire: Callable[[], object] | None = None) -> None:
        """A recorder's whole life, from its start to its burial; `retire` is None for one that is for suspects.

        Raises:
            OSError: it did not start.
        """
        with Pulse.create() as pulse:
            self._quarantines.started(name, pulse)
            async with Child(name, await self._commands.record(owner, suspects, pulse.fd)) as child:
                exit_code: int | None = None
                try:
                    with self._recorders.entered(owner, child, name, for_suspects=retire is None):
                        if self._stopping.is_set():  # nobody tells it any more, and it has nothing yet
                            child.signal(signal.SIGKILL)
                        async with self._watchdogs(child, pulse, retire):
                            exit_code = await self._watch(child, pulse)
                finally:
                    dying = [other for other, one in self._recorders.all.items() if one.is_dying]
                    self._rescuer.bury(owner, lost=exit_code != 0, dying=dying)

    @asynccontextmanager
    async def _watchdogs(self, child: Child, pulse: Pulse, retire: Callable[[], object] | None) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            dogs = [
                kill_when_silent(child, pulse, self._silence_seconds),
                self._watch_size(child, retire),
                self._let_retire(child, pulse, retire),
            ]
            watching = [group.create_task(dog, name=f"watchdog of {child.name}") for dog in dogs]
            yield
            for task in watching:
                task.cancel()

    async def _watch_size(self, child: Child, retire: Callable[[], object] | None) -> None:
        if retire is None:
            await kill_when_too_large(child, self._memory, self._marks.hard_bytes)
            return

        def hand_over() -> None:
            self._handing_over.add(child)
            retire()
            child.signal(DRAIN)

        seconds = self._grace_seconds + self._margin_seconds
        await replace_when_too_large(child, self._memory, self._marks, hand_over, seconds)

    async def _let_retire(self, child: Child, pulse: Pulse, retire: Callable[[], object] | None) -> None:
        await wait_until_it_retires(pulse)
        if retire is not None:  # else it was started for suspects, and has them
            _log.info("child.retires", child=child.name, pid=child.pid)
            retire()

    async def _keep_other(self, name: str) -> None:
        async def live() -> None:
            await self.needs.wait(name)
            if self._stopping.is_set():
                return
            try:
                process = await self._commands.work(name)
            except OSError:
                self._lacking.add(name)
                raise
            async with Child(name, process) as child:
                self._others.add(child)
                self._lacking.discard(name)
                try:
                    if await self._watch(child) == 0 and name in self._commands.on_demand:
                        self.needs.forget(name)
                    else:
                        self._lacking.add(name)
                finally:
                    self._others.discard(child)

        await keep(live, self._stopping, healthy_seconds=_HEALTHY_SECONDS)

    async def _watch(self, child: Child, pulse: Pulse | None = None) -> int:
        _log.info("child.started", child=child.name, pid=child.pid)
        exit_code = await child.wait()
        may_end = self._recorders.is_for_suspects(child) or child in self._handing_over
        may_end = may_end or child.name in self._commands.on_demand or (pulse is not None and pulse.retires)
        self._handing_over.discard(child)
        if self._stopping.is_set() or (exit_code == 0 and may_end):
            _log.info("child.stopped", child=child.name, pid=child.pid, exit_code=exit_code)
        else:
            self.deaths += 1
            _log.error("child.died", child=child.name, pid=child.pid, exit_code=exit_code)
        return exit_code

    async def _drain(self) -> None:
        """Stop all claiming first, so that no child takes what another one releases; then end all children."""
        recorders = list(self._recorders.all.values())
        for child in recorders:
            child.signal(STOP_CLAIMING)
        await asyncio.sleep(_CLAIMS_SETTLE_SECONDS if recorders else 0)
        await self._finish(recorders, self._grace_seconds + self._margin_seconds)
        await self._finish(list(self._others), _OTHERS_DRAIN_SECONDS)

    async def _finish(self, children: Sequence[Child], budget_seconds: float) -> None:
        for child in children:
            child.signal(DRAIN)
        try:
            async with asyncio.timeout(budget_seconds), asyncio.TaskGroup() as group:
                hurry = group.create_task(self._raise_on_hurry())
                for child in children:
                    await child.wait()
                hurry.cancel()
        except* (TimeoutError, _HurryError):
            for child in children:
                _log.error("child.killed", child=child.name, pid=child.pid)
                child.signal(signal.SIGKILL)

    async def _raise_on_hurry(self) -> None:
        await self._hurry.wait()
        raise _HurryError


class _HurryError(Exception):
    """Somebody asked to stop for the second time."""
