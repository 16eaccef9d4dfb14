"""Children that die with their parent, however the parent dies.

Linux's PR_SET_PDEATHSIG is the mechanism, and it has two traps that this module takes care of: the signal is sent when
the *thread* that forked ends (so a child is never forked from a thread that may end before it), and a parent that is
gone before the child asked for the signal sends none (so the child compares its parent's pid). It reaches direct
children only: every level asks for itself.
"""

import contextlib
import ctypes
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)  # loaded here: nothing may be loaded between fork and exec

Stream = int | IO[bytes] | None


def die_with_parent(death_signal: signal.Signals, *, parent_pid: int) -> None:
    """Have the kernel send `death_signal` to this process when its parent dies; exit at once if it is dead already.

    `parent_pid` is what the parent read from os.getpid() before it forked. Comparing getppid() with 1 would not do: in
    a container the parent may be process 1.
    """
    if _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        os._exit(128 + death_signal)


def spawn(
    argv: Sequence[str | Path],
    *,
    death_signal: signal.Signals | None,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    start_new_session: bool = False,
    before_exec: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program with no signal blocked, that receives `death_signal` when this process dies (None: lives on).

    `before_exec` runs in the child first. Raises OSError when the program can't be started and SubprocessError when
    `before_exec` failed. May be called from any thread.
    """
    parent_pid = os.getpid()

    def prepare() -> None:
        if before_exec is not None:
            before_exec()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if death_signal is not None:  # last: changed credentials clear it
            die_with_parent(death_signal, parent_pid=parent_pid)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(part) for part in argv],
            pass_fds=tuple(pass_fds),
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=start_new_session,
            preexec_fn=prepare,
        )

    if death_signal is None or threading.current_thread() is threading.main_thread():
        return start()
    return _in_a_thread_that_outlives_the_child(start)


def _in_a_thread_that_outlives_the_child(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    answers: queue.SimpleQueue[subprocess.Popen[bytes] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            process = start()
        except Exception as error:
            answers.put(error)
            return
        answers.put(process)
        with contextlib.suppress(ChildProcessError):  # reaped by its owner
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    threading.Thread(target=run, name="child-process-parent", daemon=True).start()
    answer = answers.get()
    if isinstance(answer, Exception):
        raise answer
    return answer
