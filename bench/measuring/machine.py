"""How busy the machine is, and with what, while something is measured."""

import os
import platform
from dataclasses import dataclass

import psutil

from bench.measuring.process_tree import cpu_seconds, tree


def describe() -> str:
    """The machine in one line."""
    gigabytes = psutil.virtual_memory().total / 1e9
    load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
    return (
        f"{psutil.cpu_count()} cores, {gigabytes:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load average {load}"
    )


@dataclass(frozen=True, slots=True)
class Busy:
    """CPU use in percent of all cores: of everything, and of what this benchmark did not start."""

    machine_percent: float
    strangers_percent: float


class BusyMeter:
    """Measures from its construction to `read`."""

    def __init__(self) -> None:
        self._busy, self._total = _busy_and_total()
        self._ours = cpu_seconds(tree(os.getpid()))

    def read(self) -> Busy:
        """What was used since; PostgreSQL, a daemon of its own, counts as a stranger."""
        busy, total = _busy_and_total()
        elapsed = max(total - self._total, 1e-9)
        used = busy - self._busy
        ours = cpu_seconds(tree(os.getpid())) - self._ours
        return Busy(100 * used / elapsed, max(100 * (used - ours) / elapsed, 0.0))


def _busy_and_total() -> tuple[float, float]:
    times = psutil.cpu_times()
    total = sum(times) - times.guest - times.guest_nice  # those are part of user and nice
    return total - times.idle - times.iowait, total
