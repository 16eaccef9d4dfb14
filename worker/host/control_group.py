"""What the control group of this process lets it have: a container's limits, of cgroup v1 or v2.

A group is bounded by its own limits and by those of the groups above it. In a container without a namespace of its own
for control groups the path that /proc names is the host's, and only the root of the hierarchy is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_HIERARCHIES = Path("/sys/fs/cgroup")
_UNLIMITED_BYTES = 1 << 60  # v1 writes the largest number that it can count to


@dataclass(frozen=True, slots=True)
class ControlGroupLimits:
    """CPUs (1.5: one and a half) and bytes of memory that may be used; None: not limited."""

    cpus: float | None
    memory_bytes: int | None


def control_group_limits(groups: Path = _GROUPS, hierarchies: Path = _HIERARCHIES) -> ControlGroupLimits:
    """The tightest limits that hold for this process. What can't be read is no limit."""
    cpus: list[float] = []
    memory: list[int] = []
    for controllers, path in _memberships(groups):
        for folder in _folders(controllers, path, hierarchies):
            cpus += _quota_v2(folder / "cpu.max") if not controllers else _quota_v1(folder)
            memory += _bytes(folder / ("memory.limit_in_bytes" if controllers else "memory.max"))
    return ControlGroupLimits(min(cpus, default=None), min(memory, default=None))


def _memberships(groups: Path) -> Iterator[tuple[str, str]]:
    """Controllers (v1: `cpu,cpuacct`; v2: none) and path of each group that this process is in."""
    for line in _text(groups).splitlines():
        _, controllers, path = line.split(":", 2)
        yield controllers, path


def _folders(controllers: str, path: str, hierarchies: Path) -> Iterator[Path]:
    """The group's folder and all above it, in each place where the hierarchy may be mounted."""
    names = [controllers, *controllers.split(",")] if controllers else ["", "unified"]
    inside = Path(path.lstrip("/"))
    for root in (hierarchies / name for name in dict.fromkeys(names)):
        for group in (inside, *inside.parents):
            yield root / group


def _quota_v2(file: Path) -> list[float]:
    quota, _, period = _text(file).partition(" ")
    return [int(quota) / int(period)] if quota.isdecimal() else []


def _quota_v1(folder: Path) -> list[float]:
    quota, period = (_text(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
    return [int(quota) / int(period)] if quota.isdecimal() and period.isdecimal() else []


def _bytes(file: Path) -> list[int]:
    limit = _text(file).strip()
    return [int(limit)] if limit.isdecimal() and int(limit) < _UNLIMITED_BYTES else []


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
