"""Everything that the first process of `parley worker` does side by side: children, sweeping, salvage, health."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from sessions.errors import ParleyError
from sessions.settings import Settings
from store.access.vault import TokenVault
from store.database.database import Database
from store.database.database_access import DatabaseAccess
from store.database.server.write_proof import prove_writer
from store.installation.storage_check import StorageCheck
from store.installation.storage_identity import StorageIdentity
from store.jobs.periodic import defer_periodic
from store.objects.objects import Objects
from store.runs.claims import Claims
from store.runs.runs import Runs
from store.sweeping.demand import Demand
from store.sweeping.sweeper import SWEEP_SECONDS, Sweeper
from store.webhooks.housekeeping import clear_deliveries
from store.webhooks.signing_secrets import SigningSecrets
from worker.host.control_group import control_group_limits
from worker.host.monitoring.health import Check, serve_health
from worker.host.monitoring.metrics import worker_metrics
from worker.host.needs import LOOK_SECONDS, Needs
from worker.host.quarantine import SPARE_SECONDS, Quarantine
from worker.host.recorder_count import cores, default_recorders
from worker.host.repeating import repeat
from worker.host.rescuer import RunRescuer
from worker.host.supervisor import ChildCommands, Supervisor
from worker.spool.salvage import Salvage
from worker.vitals.figure_file import forget_the_dead
from worker.vitals.pulse import longest_silence_seconds
from worker.vitals.wear import MemoryMarks

_log = structlog.get_logger(__name__)

_RESCUE_RETRY_SECONDS = 1.0
_SALVAGE_SECONDS = 5.0
_QUARANTINE_SECONDS = 1.0
_HOUSEKEEPING_SECONDS = 3600.0
_PERIODIC_SECONDS = 60.0


async def run_worker_host(
    settings: Settings,
    access: DatabaseAccess,
    objects: Objects,
    vault: TokenVault,
    commands: ChildCommands,
    *,
    listening: Callable[[str], None],
    log_lines_dropped: Callable[[], int] = int,
) -> None:
    """Run a worker until SIGTERM or SIGINT; `listening` gets the base URL of its health pages.

    `log_lines_dropped` tells how many lines of this process's log were dropped so far.

    Raises:
        OSError: the health port is taken.
        ParleyError: the database's schema is not today's.
    """
    async with access.open("parley-supervisor", pool_size=3) as db:
        salvage = Salvage(settings.data_dir, db, objects, Claims(db, vault), Runs(db, vault))

        def released() -> None:
            salvage.wake.set()
            quarantine.released()

        rescuer = RunRescuer(Claims(db, vault), released, lambda runs: quarantine.expect(runs))
        forget_the_dead(settings.data_dir)
        supervisor = Supervisor(
            commands,
            rescuer,
            processes=recorder_processes(settings),
            grace_seconds=settings.grace_seconds,
            silence_seconds=longest_silence_seconds(settings.heartbeat_seconds, settings.stalled_seconds),
            quarantines=settings.quarantines,
            marks=MemoryMarks.of(settings),
        )
        quarantine = Quarantine(Claims(db, vault), supervisor)
        demand = Demand(db, socket.gethostname(), follows=settings.speech_engine != "none")
        recording = _Recording(supervisor, rescuer, quarantine, salvage)
        upkeep = _Upkeep(db, objects, vault, settings)
        metrics = worker_metrics(supervisor, salvage, settings.data_dir, log_lines_dropped)
        await _run(recording, upkeep, demand, metrics, listening)


@dataclass(frozen=True, slots=True)
class _Recording:
    """Who starts and stops this host's processes, and who cares for what the dead of them leave: runs and spools."""

    supervisor: Supervisor
    rescuer: RunRescuer
    quarantine: Quarantine
    salvage: Salvage

    def chores(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What goes on beside the processes, by name."""
        rescue, look, salvage = self.rescuer.rescue, self.quarantine.look, self.salvage
        yield "rescue", repeat("rescue", rescue, interval_seconds=_RESCUE_RETRY_SECONDS, wake=self.rescuer.wake)
        yield "quarantine", repeat("quarantine", look, interval_seconds=_QUARANTINE_SECONDS, wake=self.quarantine.wake)
        yield (
            "spare processes",
            repeat("spare processes", self.quarantine.keep_spares, interval_seconds=SPARE_SECONDS),
        )
        yield (
            "salvage",
            repeat(
                "salvage",
                lambda: salvage.run(self.supervisor.live_owners | self.rescuer.unburied),
                interval_seconds=_SALVAGE_SECONDS,
                wake=salvage.wake,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Upkeep:
    """What every host does for the whole installation, whoever records: sweeping, periodic jobs, webhooks."""

    db: Database
    objects: Objects
    vault: TokenVault
    settings: Settings

    def chores(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What goes on beside the processes, by name."""
        periodic = partial(defer_periodic, self.db, retention=self.settings.retention_days is not None)
        yield "sweep", repeat("sweep", Sweeper(self.db, self.settings).sweep, interval_seconds=SWEEP_SECONDS)
        yield "periodic jobs", repeat("periodic jobs", periodic, interval_seconds=_PERIODIC_SECONDS)
        keep = partial(_keep_webhooks, SigningSecrets(self.vault), self.db)
        yield "webhook housekeeping", repeat("webhook housekeeping", keep, interval_seconds=_HOUSEKEEPING_SECONDS)


async def _run(
    recording: _Recording,
    upkeep: _Upkeep,
    demand: Demand,
    metrics: CollectorRegistry,
    listening: Callable[[str], None],
) -> None:
    supervisor, settings, db = recording.supervisor, upkeep.settings, upkeep.db
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    storage = StorageCheck(StorageIdentity(db, upkeep.objects), upkeep.objects, links=settings.storage_links)
    checks: dict[str, Check] = {
        "database": partial(prove_writer, db),
        "storage": storage.ready,
        "children": _children_check(supervisor, settings.data_dir),
    }
    async with (
        serve_health(settings.api_host, settings.worker_port, checks=checks, metrics=metrics) as url,
        asyncio.TaskGroup() as group,
    ):
        listening(url)
        look = partial(_note_needs, supervisor.needs, demand)
        chores = {
            "storage check": storage.run(),
            "demand": repeat("demand", look, interval_seconds=LOOK_SECONDS),
            **dict(recording.chores()),
            **dict(upkeep.chores()),
        }
        maintenance = [group.create_task(chore, name=name) for name, chore in chores.items()]
        await supervisor.run()
        for task in maintenance:
            task.cancel()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)


async def _keep_webhooks(secrets: SigningSecrets, db: Database) -> None:
    await secrets.seal_anew(db)
    await clear_deliveries(db)


async def _note_needs(needs: Needs, demand: Demand) -> None:
    if missing := needs.missing:
        wanted = asdict(await demand.look())
        for name in missing:
            if wanted[name]:
                needs.note(name)


def recorder_processes(settings: Settings) -> int:
    """How many recorder processes: as configured, else as many as this process's limits have room for."""
    if settings.processes is not None:
        return settings.processes
    limits = control_group_limits()
    count = default_recorders(cores(), limits, settings.sessions_per_process)
    _log.info("recorders.counted", processes=count, cpus=limits.cpus, memory_bytes=limits.memory_bytes)
    return count


def _children_check(supervisor: Supervisor, data_dir: Path) -> Check:
    """Check that every child runs, and that every recorder process has opened its spool, after which it claims."""

    async def check() -> None:
        spools = [data_dir / "spool" / str(owner) for owner in supervisor.regular_owners]
        if not supervisor.is_complete or not all(spool.exists() for spool in spools):
            raise ParleyError("stopping", "not every child process runs")

    return check
