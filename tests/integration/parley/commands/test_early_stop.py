"""A container that is told to stop while it starts: its program is PID 1, which only a handler of its own can end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

_SECONDS = 20.0
_NAMESPACES = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


@contextmanager
def as_pid_1(command: str, folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", psutil.Process]]:
    """`parley <command>` as the first process of a PID namespace: who started it, and itself."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")},
        "PARLEY_DATABASE_URL": f"postgresql://parley@/parley?host={folder}",  # nobody is there
        "PARLEY_SECRET_KEY": "s" * 40,
        "PARLEY_DATA_DIR": str(folder),
        "PARLEY_API_PORT": "0",
    }
    with subprocess.Popen(
        [*_NAMESPACES, sys.executable, "-m", "parley", command], env=environment, stderr=subprocess.PIPE
    ) as popen:
        try:
            yield popen, _first_below(popen.pid)
        finally:
            popen.kill()


def _first_below(pid: int) -> psutil.Process:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if (children := psutil.Process(pid).children()) and "parley" in children[0].cmdline():
            return children[0]
        time.sleep(0.005)
    raise TimeoutError


def _catches_sigterm(process: psutil.Process) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("command", ["api", "worker", "migrate"])
def test_sigterm_is_heard_before_the_heavy_imports(command: str, tmp_path: Path) -> None:
    """The handler is there before pydantic is loaded, and a signal that comes then ends the process at once."""
    with as_pid_1(command, tmp_path) as (popen, process):
        deadline = time.monotonic() + _SECONDS
        while not _catches_sigterm(process):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        loaded = Path(f"/proc/{process.pid}/maps").read_text()
        process.send_signal(signal.SIGTERM)
        assert popen.wait(_SECONDS) == 128 + signal.SIGTERM
        assert popen.stderr is not None
        assert popen.stderr.read() == b""
        assert "pydantic" not in loaded
