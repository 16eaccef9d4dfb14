"""An idle worker: how much memory its processes hold while nothing is recorded, and nothing else is to be done."""

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.measuring.machine import describe
from bench.measuring.probing import until
from bench.measuring.process_tree import memory
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.parley_stack import parley_api, parley_worker

_ROLES = (
    "recorder",
    "nursery",
    "guard",
    "speech",
    "webhooks",
    "jobs",
    "worker",
)  # the first that is among a command's words


def bench_idle(options: Options) -> None:
    """Run the benchmark: a worker of one recorder, with its default speech engine."""
    folder = options.folder / "idle"
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        maintenance = stack.enter_context(postgres(options.database_url, options.folder))
        url = stack.enter_context(fresh_database(maintenance))
        stack.enter_context(parley_api(url, folder))
        opened = parley_worker(
            url,
            folder,
            processes=1,
            heartbeat_seconds=options.heartbeat_seconds,
            default_speech=True,
            settings={"PARLEY_IDLE_PROCESS_SECONDS": "1", "PYTHONPATH": str(_without_tools(folder))},
        )
        worker = stack.enter_context(opened)
        until(lambda: worker.recorders(), what="the recorder process runs")
        time.sleep(options.settle_seconds)
        until(lambda: not _on_demand(worker.family()), what="those that run on demand have gone", seconds=60)
        time.sleep(options.settle_seconds)
        found = {process.pid: (_role(process), memory([process])) for process in worker.family()}
    print_title("idle: a worker of one recorder process")
    print_note(describe())
    rows = [
        (role, f"{one.pss:.0f}", f"{one.anonymous:.0f}", f"{one.uss:.0f}")
        for role, one in sorted(found.values(), key=lambda one: one[0])
    ]
    total = sum(one.pss for _, one in found.values())
    anonymous = sum(one.anonymous for _, one in found.values())
    print_table(("", "PSS MB", "of it anonymous", "USS MB"), [*rows, ("all", f"{total:.0f}", f"{anonymous:.0f}", "")])
    print_note("As installed without development's tools. An API process on the same host shares pages of files with")
    print_note("it, as here; whoever else maps the same files does, too.")
    print_goal("a whole idle worker, PSS MB", total, at_most=150)


def _without_tools(folder: Path) -> Path:
    """A folder for the module path that hides what structlog loads where it finds it, and production does not have."""
    hidden = folder / "hidden"
    hidden.mkdir()
    (hidden / "rich.py").write_text("raise ImportError\n")
    return hidden


def _on_demand(processes: Sequence[psutil.Process]) -> list[str]:
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            found.append(_role(process))
    return [role for role in found if role in ("jobs", "speech", "webhooks")]


def _role(process: psutil.Process) -> str:
    words = process.cmdline()
    return next((role for role in _ROLES if role in words), process.name())
