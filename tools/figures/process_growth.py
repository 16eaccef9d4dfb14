"""What our processes hold, again and again, and whether that grows."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import psutil

from tests.support.running.stack import Process
from tools.figures.figure import Figure, Goal

_WARM_SHARE = 4  # of the samples, the first one in so many is left out: allocators and pools fill
_CONFIDENCE = 1.96  # standard errors to each side

Row = dict[str, float]


@dataclass(slots=True)
class Growth:
    """Samples of one API and one worker; processes of one kind count together, as some of them retire."""

    api: Process
    worker: Process
    rows: list[Row] = field(default_factory=list)

    def sample(self) -> None:
        """Look at every process once."""
        row: Row = defaultdict(float)
        for name, process in self._processes():
            with suppress(psutil.NoSuchProcess):  # it has just retired
                memory = process.memory_full_info()
                row[f"{name}: memory, KiB"] += memory.pss / 1024
                row[f"{name}: resident, KiB"] += memory.rss / 1024
                row[f"{name}: descriptors"] += process.num_fds()
                row[f"{name}: threads"] += process.num_threads()
        self.rows.append(dict(row))
        print(f"growth {len(self.rows)}: {_short(row)}", file=sys.stderr, flush=True)

    @asynccontextmanager
    async def sampled(self, every_seconds: float) -> AsyncIterator[None]:
        """Do so again and again during the block."""
        async with asyncio.TaskGroup() as tasks:
            sampling = tasks.create_task(self._keep_sampling(every_seconds), name="growth")
            try:
                yield
            finally:
                sampling.cancel()

    async def _keep_sampling(self, every_seconds: float) -> None:
        while True:
            await asyncio.sleep(every_seconds)
            await asyncio.to_thread(self.sample)

    def _processes(self) -> list[tuple[str, psutil.Process]]:
        named = [("API", psutil.Process(self.api.popen.pid)), ("supervisor", psutil.Process(self.worker.popen.pid))]
        for child in self.worker.children():
            with suppress(psutil.NoSuchProcess):
                named.append((_kind(child.cmdline()), child))
        return named

    def figures(self, per: float, unit: str) -> list[Figure]:
        """The least growth that the samples do not rule out: a figure per thing held, a value per kind of process.

        Args:
            per: so many samples are one `unit`.
        """
        settled = self.rows[len(self.rows) // _WARM_SHARE :]
        found: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for name in sorted({name for row in self.rows for name in row}):
            kind, held = name.split(": ")
            found[held][kind] = per * least_slope([row.get(name, 0.0) for row in settled])
        for held, of_kinds in found.items():
            print(f"least growth per {unit}, {held}: {_short(of_kinds)}", flush=True)
        return [
            Figure(
                f"least growth per {unit}, {held}, per kind of process", "", Goal("max", 0), tuple(of_kinds.values())
            )
            for held, of_kinds in found.items()
        ]


def _kind(command_line: Sequence[str]) -> str:
    """`recorder`, `jobs speech`, …: what `parley` was told, without what differs from one process to the next."""
    words = list(command_line[command_line.index("parley") + 1 :]) if "parley" in command_line else ["?"]
    return words[0]


def _short(row: Row) -> str:
    return ", ".join(f"{name} {value:.0f}" for name, value in sorted(row.items()))


def least_slope(values: Sequence[float]) -> float:
    """The lower end of the confidence interval (95 %) of the values' slope per step; 0 for values that are all one.

    Above 0 the values do grow; a process that keeps what it took once does not.
    """
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    spread = float(np.sum(steps**2))
    if len(values) < 3 or spread == 0:
        return 0.0
    slope = float(np.dot(steps, values)) / spread
    left_over = np.asarray(values) - np.mean(values) - slope * steps
    error = float(np.sqrt(np.sum(left_over**2) / (len(values) - 2) / spread))
    return slope - _CONFIDENCE * error
