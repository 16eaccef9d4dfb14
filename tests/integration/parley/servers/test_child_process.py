"""Children that die with their parent."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from parley.servers.child_process import spawn
from tests.integration.parley.servers.process_probes import Scripts, is_running, wait_until

SLEEP = ("sleep", "600")
PARENT = """
import sys, threading, time, signal
from parley.servers.child_process import spawn
def start():
    print(spawn(["sleep", "600"], death_signal=signal.SIGKILL).pid, flush=True)
if sys.argv[1] == "thread":
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
else:
    start()
time.sleep(600)
"""
PYTHON_CHILD = """
import os, signal, sys, time
from parley.servers.child_process import die_with_parent
parent = os.getpid()
if os.fork() == 0:
    die_with_parent(signal.SIGTERM, parent_pid=parent)
    print(os.getpid(), flush=True)
time.sleep(600)
"""
ORPHAN = """
import os, signal, sys
from parley.servers.child_process import die_with_parent
die_with_parent(signal.SIGTERM, parent_pid=int(sys.argv[1]))
print("lives on")
"""


@pytest.mark.parametrize("where", ["main", "thread"])
def test_child_dies_with_a_killed_parent(scripts: Scripts, where: str) -> None:
    """From whichever thread it was started, and only with the parent."""
    parent = scripts.start(PARENT, where)
    child = int(scripts.line(parent))
    assert is_running(child)
    parent.kill()
    wait_until(lambda: not is_running(child), "the child dies")


def test_child_outlives_the_thread_that_started_it() -> None:
    """The kernel's signal comes at the end of the forking thread; the caller's thread must not be that one."""
    started: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: started.append(spawn(SLEEP, death_signal=signal.SIGKILL)))
    thread.start()
    thread.join()
    [child] = started
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.2)
    child.kill()
    assert child.wait() == -signal.SIGKILL


def test_forked_python_child_dies_with_its_parent(scripts: Scripts) -> None:
    """`die_with_parent` as a child's first line."""
    parent = scripts.start(PYTHON_CHILD)
    child = int(scripts.line(parent))
    parent.kill()
    wait_until(lambda: not is_running(child), "the child dies")


def test_child_whose_parent_is_gone_already_ends() -> None:
    """The kernel sends nothing for a parent that died before the child asked."""
    ended = subprocess.run([sys.executable, "-c", ORPHAN, "1"], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (128 + signal.SIGTERM, "")


def test_child_blocks_no_signals() -> None:
    """A worker blocks SIGTERM in all of its threads; its children must not inherit that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        child = spawn(SLEEP, death_signal=signal.SIGKILL)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    child.terminate()
    assert child.wait(10) == -signal.SIGTERM


def test_missing_program_is_reported_from_any_thread() -> None:
    """As subprocess.Popen does."""
    errors: list[Exception] = []

    def start() -> None:
        try:
            spawn(["/no/such/program"], death_signal=signal.SIGKILL)
        except FileNotFoundError as error:
            errors.append(error)

    start()
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(errors) == 2


def test_descriptors_are_closed_but_for_the_named_ones() -> None:
    """Locks and sockets of ours do not leak into children."""
    kept, lost = os.open("/dev/null", os.O_RDONLY), os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(lost, True)
    child = spawn(["ls", "/proc/self/fd"], death_signal=signal.SIGKILL, pass_fds=[kept], stdout=subprocess.PIPE)
    out, _ = child.communicate()
    os.close(kept)
    os.close(lost)
    assert str(kept).encode() in out.split()
    assert str(lost).encode() not in out.split()
