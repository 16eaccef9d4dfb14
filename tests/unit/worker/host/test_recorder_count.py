"""How many recorder processes a container's limits leave room for."""

from pathlib import Path

import pytest

from worker.host.control_group import ControlGroupLimits, control_group_limits
from worker.host.recorder_count import default_recorders

GIB = 1 << 30


def write(folder: Path, **files: str) -> None:
    """One group's files; `__` in a name is a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def limits(folder: Path, memberships: str) -> ControlGroupLimits:
    """What holds for a process that /proc says this about."""
    (folder / "groups").write_text(memberships)
    return control_group_limits(folder / "groups", folder / "fs")


def test_the_limits_of_a_container_with_v2(tmp_path: Path) -> None:
    """Its own group is the root that it sees."""
    write(tmp_path / "fs", cpu__max="150000 100000", memory__max=str(GIB))
    assert limits(tmp_path, "0::/\n") == ControlGroupLimits(1.5, GIB)


def test_a_group_above_may_be_the_tighter_one(tmp_path: Path) -> None:
    """A systemd slice, or a pod with its containers."""
    write(tmp_path / "fs/pod", cpu__max="200000 100000", memory__max=str(2 * GIB))
    write(tmp_path / "fs/pod/container", cpu__max="max 100000", memory__max=str(3 * GIB))
    assert limits(tmp_path, "0::/pod/container\n") == ControlGroupLimits(2.0, 2 * GIB)


def test_the_limits_of_a_container_with_v1(tmp_path: Path) -> None:
    """The path is the host's, and what is mounted is the container's group."""
    write(tmp_path / "fs/cpu,cpuacct", cpu__cfs_quota_us="50000", cpu__cfs_period_us="100000")
    write(tmp_path / "fs/memory", memory__limit_in_bytes=str(GIB))
    memberships = "4:memory:/docker/0815\n2:cpu,cpuacct:/docker/0815\n1:name=systemd:/docker/0815\n0::/docker/0815\n"
    assert limits(tmp_path, memberships) == ControlGroupLimits(0.5, GIB)


def test_no_limit_is_none(tmp_path: Path) -> None:
    """`max`, -1 and the largest number; and a machine without control groups."""
    write(tmp_path / "fs", cpu__max="max 100000", memory__max="max")
    write(tmp_path / "fs/cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    write(tmp_path / "fs/memory", memory__limit_in_bytes="9223372036854771712")
    assert limits(tmp_path, "2:memory:/\n1:cpu:/\n0::/\n") == ControlGroupLimits(None, None)
    assert control_group_limits(tmp_path / "no file", tmp_path / "no folder") == ControlGroupLimits(None, None)


@pytest.mark.parametrize(
    ("cpus", "memory_gib", "expected"),
    [(None, None, 64), (1.0, None, 1), (0.5, None, 1), (2.5, None, 2), (None, 1, 3), (None, 0.25, 1), (8.0, 4, 8)],
)
def test_one_recorder_per_core_that_may_be_used_and_has_memory(
    cpus: float | None, memory_gib: float | None, expected: int
) -> None:
    """On a node of 64 cores; a recorder with 25 sessions has 165 MB, and the worker's other processes 450 MB."""
    memory = None if memory_gib is None else int(memory_gib * GIB)
    assert default_recorders(64, ControlGroupLimits(cpus, memory), 25) == expected
