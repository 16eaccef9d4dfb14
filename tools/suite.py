"""Both halves of the tests at once: `python -m tools.suite 4 2` runs them in 4 and 2 processes.

Tests that judge by when something happened need a core whenever they want one, and leave half of the machine unused.
All others take what is left: the scheduler runs them (`SCHED_IDLE`) only where nobody else wants to run.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

REALTIME_FOLDERS = ("tests/e2e", "tests/integration/worker", "tests/integration/store/lifecycle")
_FOLLOW_SECONDS = 0.5


def untimed_command(processes: int) -> list[str]:
    """pytest's, of all tests that bear waiting."""
    return _pytest("tests", marks="not realtime and not long", processes=processes)


def realtime_command(processes: int) -> list[str]:
    """pytest's, of all tests that judge by when something happened."""
    return _pytest(*REALTIME_FOLDERS, marks="realtime and not long", processes=processes)


def _pytest(*folders: str, marks: str, processes: int) -> list[str]:
    spread = ("-n", str(processes), "--dist", "worksteal")
    return [sys.executable, "-m", "pytest", *folders, "-m", marks, *spread]


def _when_idle() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def run(untimed: Sequence[str], realtime: Sequence[str], log_path: Path) -> int:
    """Run both; the second one prints as it goes, the first one when the second is done.

    Returns:
        0 if both ended with 0, else 1.
    """
    with log_path.open("wb") as log:
        behind = subprocess.Popen(untimed, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_when_idle)
    try:
        print(f"Tests that judge by time; all others meanwhile, their output in {log_path}", flush=True)
        in_front = subprocess.call(realtime)
        _follow(behind, log_path)
        return int(in_front != 0 or behind.returncode != 0)
    finally:
        if behind.poll() is None:
            behind.send_signal(signal.SIGINT)  # pytest ends what it started
            behind.wait()


def _follow(process: "subprocess.Popen[bytes]", log_path: Path) -> None:
    with log_path.open("rb") as log:
        while True:
            ended = process.poll() is not None
            sys.stdout.write(log.read().decode("utf-8", "replace"))
            sys.stdout.flush()
            if ended:
                return
            time.sleep(_FOLLOW_SECONDS)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="parley-tests-") as folder:
        code = run(untimed_command(int(sys.argv[1])), realtime_command(int(sys.argv[2])), Path(folder) / "untimed.log")
    sys.exit(code)
