"""CPU time and memory of groups of processes."""

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes (10^6 bytes) of a group of processes, added up.

    Attributes:
        uss: what would be freed if they ended one by one: pages that each has for itself.
        pss: the same, and each shared page divided among those that share it.
        anonymous: what of `pss` is no page of a file. Others who map the same libraries, and a kernel that wants pages
            back, change the rest only.
    """

    uss: float
    pss: float
    anonymous: float


def tree(pid: int) -> list[psutil.Process]:
    """A process and its living descendants."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """User and system time of these processes and of those descendants that they have waited for.

    For a whole tree this only grows: what a process used moves to its parent when it is reaped.
    """
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def memory(processes: Iterable[psutil.Process]) -> Memory:
    """Unique and proportional memory of these processes."""
    found: Counter[str] = Counter()
    for process in processes:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.update(_kilobytes(process.pid))
    uss = found["Private_Clean"] + found["Private_Dirty"]
    return Memory(_megabytes(uss), _megabytes(found["Pss"]), _megabytes(found["Pss_Anon"]))


def _kilobytes(pid: int) -> dict[str, int]:
    """What /proc/PID/smaps_rollup says, proc(5), in units of 1024 bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


def _megabytes(kilobytes: int) -> float:
    return kilobytes * 1024 / 1e6
