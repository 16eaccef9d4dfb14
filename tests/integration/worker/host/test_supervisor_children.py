"""The supervisor with real child processes, small programs that do as told, on a real database."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from parley.servers.child_process import spawn
from store.runs.claims import DeadProcess, RunKey
from tests.support.running.engine import Engine
from worker.host.children.keeping import backoff_seconds
from worker.host.repeating import repeat
from worker.host.rescuer import RunRescuer
from worker.host.supervisor import ChildCommands, Supervisor
from worker.vitals.pulse import Pulse, longest_silence_seconds
from worker.vitals.wear import MemoryMarks

# Appends each signal to its file, ends at SIGTERM unless it is deaf. The larger it is, the longer it takes to die.
_CHILD = """
import os, signal, sys
path, deaf = sys.argv[1], sys.argv[2] == "deaf"
ballast = b"\1" * (int(sys.argv[3]) << 20)
def hear(number, frame):
    with open(path, "a") as file:
        file.write(f"{os.getpid()} {signal.Signals(number).name}\\n")
    if number == signal.SIGTERM and not deaf:
        sys.exit(0)
signal.signal(signal.SIGUSR1, hear)
signal.signal(signal.SIGTERM, hear)
with open(path, "a") as file:
    file.write(f"{os.getpid()} up\\n")
while True:
    signal.pause()
"""


async def eventually(probe: Callable[[], Awaitable[object]], seconds: float = 10) -> None:
    """Return as soon as `probe` is true."""
    async with asyncio.timeout(seconds):
        while not await probe():  # noqa: ASYNC110 a probe of real processes
            await asyncio.sleep(0.02)


class NotedClaims:
    """The store's, and whether each run that is lost is pardoned, as others see it after each call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.pardoned: list[list[bool]] = []

    async def bury(self, dead: Sequence[DeadProcess], pardoned: Sequence[RunKey]) -> dict[UUID, list[RunKey]]:
        found = await self._engine.claims.bury(dead, pardoned)
        self.pardoned.append([row.pardoned for row in await self._engine.sql("SELECT pardoned FROM runs WHERE lost")])
        return found


class Household:
    """A running supervisor, what its children were started for, and what they heard."""

    def __init__(self, engine: Engine, heard: Path, *, deaf: bool, processes: int, grace: float) -> None:
        self.owners: list[UUID] = []
        self.others: list[str] = []
        self.other_pids: list[int] = []
        self.suspects: list[int] = []
        self.pulse_fds: list[int] = []
        self.sizes: dict[int, int] = {}
        self.ballast_mb = 0  # of the next recorder
        self.heard_file = heard
        self._how = "deaf" if deaf else "obedient"
        self.claims = NotedClaims(engine)
        self.rescuer = RunRescuer(self.claims)
        self.commands = ChildCommands(self._record, self._work, ["jobs"], ["speech"])
        self.supervisor = Supervisor(
            self.commands,
            self.rescuer,
            processes=processes,
            grace_seconds=grace,
            silence_seconds=0.5,
            margin_seconds=0.1,
            marks=MemoryMarks(900, 1000),
            memory=lambda pid: self.sizes.get(pid, 1000),
        )

    def _argv(self) -> list[str]:
        return [sys.executable, "-c", _CHILD, str(self.heard_file), self._how, str(self.ballast_mb)]

    async def _record(self, owner: UUID, suspects: int, pulse_fd: int) -> "subprocess.Popen[bytes]":
        self.owners.append(owner)
        self.suspects.append(suspects)
        self.pulse_fds.append(pulse_fd)
        return self._spawn([*self._argv(), str(owner)])

    async def _work(self, name: str) -> "subprocess.Popen[bytes]":
        process = self._spawn(self._argv())
        self.others.append(name)
        self.other_pids.append(process.pid)
        return process

    @staticmethod
    def _spawn(argv: Sequence[str]) -> "subprocess.Popen[bytes]":
        return spawn(argv, death_signal=signal.SIGKILL, start_new_session=True)

    def heard(self) -> list[str]:
        return self.heard_file.read_text().splitlines() if self.heard_file.exists() else []

    async def up(self, children: int) -> None:
        async def probe() -> bool:
            return sum(line.endswith(" up") for line in self.heard()) >= children

        await eventually(probe)

    def pid_of(self, owner: UUID) -> int:
        children = psutil.Process().children()
        return next(child.pid for child in children if str(owner) in child.cmdline())


@asynccontextmanager
async def household(
    engine: Engine, folder: Path, *, deaf: bool = False, processes: int = 2, grace: float = 0.1
) -> AsyncIterator[Household]:
    """A supervisor that runs until the block ends, with the rescuer beside it."""
    home = Household(engine, folder / "heard", deaf=deaf, processes=processes, grace=grace)
    async with asyncio.TaskGroup() as group:
        rescue = group.create_task(
            repeat("rescue", home.rescuer.rescue, interval_seconds=0.2, wake=home.rescuer.wake), name="rescue"
        )
        run = group.create_task(home.supervisor.run(), name="supervisor")
        await home.up(processes + 1)
        yield home
        home.supervisor.stop()
        await run
        rescue.cancel()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """The store's parts on a fresh database."""
    async with Engine.open(database_url) as opened:
        yield opened


async def test_runs_of_a_killed_recorder_are_released_as_lost_within_a_second(engine: Engine, tmp_path: Path) -> None:
    """Whoever claims next gets them, whatever their last beat."""
    async with household(engine, tmp_path) as home:
        victim = home.owners[0]
        session_id = await engine.new_session()
        [claim] = await engine.claim(victim)
        os.kill(home.pid_of(victim), signal.SIGKILL)

        async def released() -> bool:
            rows = await engine.sql("SELECT lost FROM runs WHERE released_at IS NOT NULL")
            return [row.lost for row in rows] == [True]

        await eventually(released, seconds=1)
        [again] = await engine.claim(may_judge_stale=False)
    assert (again.session.id, again.epoch) == (session_id, claim.epoch + 1)


async def test_a_dead_recorder_is_replaced_under_another_owner(engine: Engine, tmp_path: Path) -> None:
    """The successor's runs can't be mistaken for its predecessor's."""
    async with household(engine, tmp_path) as home:
        victim = home.owners[0]
        os.kill(home.pid_of(victim), signal.SIGKILL)
        await home.up(4)
        assert victim not in home.supervisor.live_owners
        assert len(home.supervisor.live_owners) == 2
        assert len(set(home.owners)) == 3
        assert home.supervisor.deaths == 1


async def test_a_dead_jobs_process_is_replaced(engine: Engine, tmp_path: Path) -> None:
    """Finalizing goes on after a crash."""
    async with household(engine, tmp_path, processes=1) as home:
        recorder = home.pid_of(home.owners[0])
        ours = [child for child in psutil.Process().children() if str(home.heard_file) in child.cmdline()]
        [jobs] = [child for child in ours if child.pid != recorder]
        jobs.kill()
        await home.up(3)
        assert len(home.owners) == 1


async def test_every_recorder_stops_claiming_before_any_releases(engine: Engine, tmp_path: Path) -> None:
    """Else one would claim what its sibling gives back."""
    async with household(engine, tmp_path, processes=3) as home:
        pass
    words = [line.split()[1] for line in home.heard() if not line.endswith("up")]
    assert words == ["SIGUSR1"] * 3 + ["SIGTERM"] * 4


async def test_runs_of_a_drained_recorder_are_not_called_lost(engine: Engine, tmp_path: Path) -> None:
    """What it left unsealed was handed over, and doesn't count towards a crash loop."""
    async with household(engine, tmp_path) as home:
        await engine.new_session()
        await engine.claim(home.owners[0])
    rows = await engine.sql("SELECT lost FROM runs WHERE released_at IS NOT NULL")
    assert [row.lost for row in rows] == [False]


async def test_a_deaf_child_is_killed_after_grace_and_margin(engine: Engine, tmp_path: Path) -> None:
    """A stop takes no longer than its budget."""
    loop = asyncio.get_running_loop()
    async with household(engine, tmp_path, deaf=True, grace=0.3) as home:
        owner = home.owners[0]
        await engine.new_session()
        await engine.claim(owner)
        asked = loop.time()
        home.supervisor.stop()

        async def gone() -> bool:
            return not home.supervisor.live_owners

        await eventually(gone, seconds=5)
        assert loop.time() - asked >= 0.4
        home.supervisor.stop()
    assert [row.lost for row in await engine.sql("SELECT lost FROM runs")] == [True]


async def test_asked_twice_to_stop_the_children_are_killed(engine: Engine, tmp_path: Path) -> None:
    """Who presses Ctrl-C again doesn't wait for the grace period."""
    async with household(engine, tmp_path, deaf=True, grace=600) as home:
        home.supervisor.stop()
        home.supervisor.stop()

        async def gone() -> bool:
            return not home.supervisor.live_owners

        await eventually(gone, seconds=5)


async def test_recorders_that_die_together_are_nobodys_fault(engine: Engine, tmp_path: Path) -> None:
    """Each session is in one process only."""
    async with household(engine, tmp_path) as home:
        await engine.new_session()
        await engine.claim(home.owners[0])
        for pid in [home.pid_of(owner) for owner in home.owners[:2]]:
            os.kill(pid, signal.SIGKILL)

        async def pardoned() -> bool:
            return [row.pardoned for row in await engine.sql("SELECT pardoned FROM runs WHERE lost")] == [True]

        await eventually(pardoned, seconds=2)


async def test_a_recorder_that_takes_long_to_die_has_died_together_with_the_others(
    engine: Engine, tmp_path: Path
) -> None:
    """Whoever sees the sessions of the first one sees that they are not to blame, before the second one is dead."""
    async with household(engine, tmp_path) as home:
        home.ballast_mb = 500
        home.supervisor.open_quarantine(1)
        await home.up(4)
        home.ballast_mb = 0
        quick, slow = home.owners[0], home.owners[2]
        for owner in (quick, slow):
            await engine.new_session()
            await engine.claim(owner)
        for pid in [home.pid_of(owner) for owner in (quick, slow)]:
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: _is_dead(home, slow))
        await home.up(5)
    assert home.claims.pardoned[:2] == [[True], [True, True]]


async def test_a_recorder_that_dies_on_its_own_is_not_pardoned(engine: Engine, tmp_path: Path) -> None:
    """Also when another one died a while ago."""
    async with household(engine, tmp_path) as home:
        await engine.new_session()
        await engine.claim(home.owners[0])
        os.kill(home.pid_of(home.owners[1]), signal.SIGKILL)
        await asyncio.sleep(1.1)
        os.kill(home.pid_of(home.owners[0]), signal.SIGKILL)
        await asyncio.sleep(0.5)
        rows = await engine.sql("SELECT lost, pardoned FROM runs")
        assert [(row.lost, row.pardoned) for row in rows] == [(True, False)]


async def test_a_recorder_that_starts_while_all_are_stopped_does_not_stay(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for before, and there after the others were told."""
    start, may_start = Household._record, asyncio.Event()

    async def start_late(home: Household, owner: UUID, suspects: int, pulse_fd: int) -> "subprocess.Popen[bytes]":
        if len(home.owners) == 2:
            await may_start.wait()
        return await start(home, owner, suspects, pulse_fd)

    async with asyncio.timeout(10), household(engine, tmp_path, deaf=True, grace=600) as home:
        monkeypatch.setattr(home.supervisor, "_commands", replace(home.commands, record=partial(start_late, home)))
        home.supervisor.open_quarantine(1)
        await asyncio.sleep(0.1)
        home.supervisor.stop()
        home.supervisor.stop()
        await asyncio.sleep(0.5)
        may_start.set()
    assert home.supervisor.live_owners == frozenset()


async def test_a_recorder_without_a_pulse_is_killed(engine: Engine, tmp_path: Path) -> None:
    """Once it has given one: as long as it is opening, and while it ends, nobody expects it."""
    async with household(engine, tmp_path) as home:
        first = home.owners[0]
        with Pulse(os.dup(home.pulse_fds[0])) as pulse:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(pulse.keep(60), name="pulse")
                await asyncio.sleep(0.8)
                assert home.supervisor.deaths == 0
                keeping.cancel()
            await asyncio.sleep(0.8)
            assert home.supervisor.deaths == 0, "it has said that it ends"
            pulse.give()
            os.kill(home.pid_of(first), signal.SIGSTOP)
            await asyncio.sleep(0.2)
            assert home.supervisor.deaths == 0
        await eventually(lambda: _is_dead(home, first), seconds=2)


async def _is_dead(home: Household, owner: UUID) -> bool:
    return owner not in home.supervisor.live_owners


async def test_a_recorder_that_retires_is_replaced_at_once_and_goes_on(engine: Engine, tmp_path: Path) -> None:
    """As many as before take sessions, and its runs are its own until it ends, which is no death."""
    async with household(engine, tmp_path) as home:
        old = home.owners[0]
        await engine.new_session()
        await engine.claim(old)
        with Pulse(os.dup(home.pulse_fds[0])) as pulse:
            pulse.retire()
        await home.up(4)
        assert home.supervisor.live_owners == frozenset(home.owners)
        assert home.supervisor.regular_owners == frozenset(home.owners) - {old}
        assert home.supervisor.recorder_places[old] == "retired-0"
        assert len(set(home.supervisor.recorder_places.values())) == 3
        assert home.supervisor.is_complete
        assert [row.released_at for row in await engine.sql("SELECT released_at FROM runs")] == [None]
        os.kill(home.pid_of(old), signal.SIGTERM)
        await eventually(lambda: _is_dead(home, old))
        assert (home.supervisor.deaths, home.supervisor.retirements) == (0, 1)
        assert len(home.owners) == 3


async def test_retired_recorders_are_drained_with_the_others(engine: Engine, tmp_path: Path) -> None:
    """They are told to hand over, like all."""
    async with household(engine, tmp_path, processes=1) as home:
        with Pulse(os.dup(home.pulse_fds[0])) as pulse:
            pulse.retire()
        await home.up(3)
    words = [line.split()[1] for line in home.heard() if not line.endswith("up")]
    assert words == ["SIGUSR1"] * 2 + ["SIGTERM"] * 3


async def _lost(engine: Engine) -> list[bool]:
    return [row.lost for row in await engine.sql("SELECT lost FROM runs WHERE released_at IS NOT NULL")]


async def test_a_recorder_above_its_hard_mark_hands_over_to_one_that_is_started(engine: Engine, tmp_path: Path) -> None:
    """That is no death. Its neighbors are not told, whose size is just what they may have."""
    async with household(engine, tmp_path) as home:
        large = home.owners[0]
        await engine.new_session()
        await engine.claim(large)
        home.sizes[home.pid_of(large)] = 1001
        await home.up(4)
        await eventually(lambda: _is_dead(home, large))
        async with asyncio.timeout(5):
            while await _lost(engine) != [False]:  # noqa: ASYNC110 a probe of a real process
                await asyncio.sleep(0.02)
        assert (home.supervisor.deaths, home.supervisor.retirements) == (0, 1)
        assert (len(home.owners), home.owners[1] in home.supervisor.live_owners) == (3, True)
        assert len([line for line in home.heard() if line.endswith("SIGTERM")]) == 1


@pytest.mark.parametrize(("grace", "size"), [(0.1, 1001), (60.0, 1251)], ids=["deaf", "grows on"])
async def test_a_recorder_that_does_not_hand_over_is_killed(
    engine: Engine, tmp_path: Path, grace: float, size: int
) -> None:
    """After its grace, or when it is a quarter larger still; then its runs are lost."""
    async with household(engine, tmp_path, deaf=True, grace=grace) as home:
        large = home.owners[0]
        await engine.new_session()
        await engine.claim(large)
        home.sizes[home.pid_of(large)] = size

        async def lost() -> bool:
            return await _lost(engine) == [True]

        await eventually(lost, seconds=5)
        await home.up(4)
        assert home.owners[1] in home.supervisor.live_owners
        home.supervisor.stop()
        home.supervisor.stop()


async def test_a_quarantine_comes_besides_the_others_and_is_not_replaced(engine: Engine, tmp_path: Path) -> None:
    """It takes no place, and its death costs none."""
    async with household(engine, tmp_path) as home:
        home.supervisor.open_quarantine(3)
        await home.up(4)
        assert home.suspects == [0, 0, 3]
        assert home.supervisor.is_complete
        assert home.supervisor.free_quarantines == 3
        assert home.supervisor.waiting_quarantines == [3]
        with Pulse(os.dup(home.pulse_fds[2])) as pulse:
            pulse.retire()  # it has its sessions, and takes no more
        assert home.supervisor.waiting_quarantines == []
        assert home.supervisor.free_quarantines == 3
        assert set(home.supervisor.recorder_places.values()) == {"recorder-0", "recorder-1", "quarantine-0"}
        os.kill(home.pid_of(home.owners[2]), signal.SIGKILL)

        async def gone() -> bool:
            return home.owners[2] not in home.supervisor.live_owners

        await eventually(gone)
        assert home.supervisor.free_quarantines == 4
        home.supervisor.open_quarantine(1)
        assert home.supervisor.waiting_quarantines == [1], "also one that is being started"
        await home.up(5)
        assert len(home.owners) == 4


async def test_a_child_on_demand_runs_while_it_is_needed_and_its_end_is_no_death(
    engine: Engine, tmp_path: Path
) -> None:
    """The worker is complete without it. One that is killed is replaced at once, as its work is not done."""
    async with household(engine, tmp_path, processes=1) as home:
        needs = home.supervisor.needs
        assert home.supervisor.is_complete
        assert needs.missing == {"speech"}
        assert home.others == ["jobs"]
        needs.note("speech")
        await home.up(3)
        assert not needs.missing
        assert home.others == ["jobs", "speech"]
        os.kill(home.other_pids[1], signal.SIGKILL)
        await home.up(4)
        assert home.others == ["jobs", "speech", "speech"]
        assert home.supervisor.deaths == 1
        os.kill(home.other_pids[2], signal.SIGTERM)

        async def gone() -> bool:
            return needs.missing == {"speech"}

        await eventually(gone)
        assert home.supervisor.is_complete
        needs.note("speech")
        await home.up(5)
        assert home.supervisor.deaths == 1
    assert [line.split()[1] for line in home.heard()].count("SIGTERM") == 4


@pytest.mark.parametrize(
    ("short_lives", "seconds"), [(0, 0.0), (1, 0.0), (2, 0.5), (3, 1.0), (5, 4.0), (8, 15.0), (1000, 15.0)]
)
def test_children_that_die_young_are_replaced_ever_more_slowly(short_lives: int, seconds: float) -> None:
    """The first death costs nothing, a crash at every start no whole core."""
    assert backoff_seconds(short_lives) == seconds


@pytest.mark.parametrize(("heartbeat", "stalled", "seconds"), [(5, 15, 8.5), (1, 3, 1.7), (5, 60, 49.0)])
def test_a_silent_process_is_killed_before_another_one_has_its_sessions(
    heartbeat: float, stalled: float, seconds: float
) -> None:
    """Its last beat may have been sent one heartbeat before it stopped."""
    assert longest_silence_seconds(heartbeat, stalled) == pytest.approx(seconds)
    assert seconds < stalled - heartbeat
