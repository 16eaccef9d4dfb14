"""CPU time and memory of groups of processes."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes (10^6 bytes) of a group of processes, added up.

    Attributes:
        uss: what would be freed if they ended one by one: pages that each has for itself.
        pss: the same, and each shared page divided among those that share it.
    """

    uss: float
    pss: float


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
    uss = pss = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            info = process.memory_full_info()
            uss += info.uss
            pss += info.pss
    return Memory(uss / 1e6, pss / 1e6)
