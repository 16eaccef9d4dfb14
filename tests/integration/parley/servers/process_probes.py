"""Probes with bounds, and processes that the tests may kill."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
import pytest

PATIENCE_SECONDS = 20


def wait_until(probe: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll until the probe says yes; fail naming `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Zombies don't count: whoever should reap them is not the subject here."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Scripts:
    """Python processes that say lines and then sleep until killed."""

    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, code: str, *arguments: object, wrapper: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        argv = [*wrapper, sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.processes.append(process)
        return process

    @staticmethod
    def line(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def kill_all(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait(PATIENCE_SECONDS)
            assert process.stdout is not None
            process.stdout.close()
        self.processes.clear()
