"""Processes that are there in milliseconds, their imports done: forked from one that does nothing but wait for that.

The server has one thread and has never loaded what starts some (LiveKit's native library), so forking it is safe; and
what it has imported is in memory once. The first one may itself be forked from whoever will ask it, before that one
starts a thread; a dead one is replaced by a program of its own. It forks twice: whoever asked adopts orphans meanwhile,
and so becomes the parent of what is left, and can wait for it as for any other child.
"""

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from parley.servers.child_process import die_with_parent, spawn

_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)
_MOST_BYTES = 4096
_MOST_FDS = 4
_START_SECONDS = 60.0  # imports included, on a machine that is busy
_ADOPTION_SECONDS = 5.0
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Variables of a process before it loads numpy, which starts threads at once unless told otherwise: then it can be
forked. Our matrices are small; several threads would spend their time waiting for each other."""

Request = dict[str, Any]


class ForkedProcess:
    """A process that a fork server made for this one, which is its parent. Like `subprocess.Popen`, as far as needed.

    `pid` stays its own until it was waited for.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._exit_code: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        """No-op for one that was waited for; one that is dead hears nothing."""
        if self._exit_code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Its exit code, as `wait` gives it; None while it runs."""
        if self._exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._exit_code = os.waitstatus_to_exitcode(status) if pid else None
        return self._exit_code

    def wait(self) -> int:
        """Its exit code; negative: the signal that killed it. Blocking."""
        if self._exit_code is None:
            self._exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._exit_code


@dataclass(frozen=True, slots=True)
class BegunServer:
    """A server that `begin_server` has forked, and the socket on which it is asked."""

    process: ForkedProcess
    socket: socket.socket


def begin_server() -> BegunServer | int:
    """Fork a server from this process, which must have one thread and no event loop.

    Returns:
        In this process, what a `ForkServer` takes. In the server, which dies with this process: the number of its
        socket, for `serve_forks`.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    gc.collect()
    gc.freeze()  # no collection writes to what both have
    pid = os.fork()
    if pid:
        theirs.close()
        ours.setblocking(False)
        return BegunServer(ForkedProcess(pid), ours)
    ours.close()
    os.setsid()
    die_with_parent(signal.SIGKILL, parent_pid=parent)
    return theirs.detach()


class ForkServer:
    """Starts the server when the first process is asked for, and again when it is dead. `close` ends it.

    Args:
        argv: makes the command line from the number of the server's socket; the program calls `serve_forks`.
        death_signal: what the forked processes get when this process dies.
        begun: the first server, if there is one already.
    """

    def __init__(
        self, argv: Callable[[int], Sequence[str]], death_signal: signal.Signals, begun: BegunServer | None = None
    ) -> None:
        self._argv = argv
        self._death_signal = death_signal
        self._server: subprocess.Popen[bytes] | ForkedProcess | None = None if begun is None else begun.process
        self._socket = None if begun is None else begun.socket
        self._asking = asyncio.Lock()

    async def fork(self, request: Request, fds: Sequence[int] = ()) -> ForkedProcess:
        """A new process that has got `request` and its own copies of `fds`.

        Raises:
            OSError: there is none; the next call may succeed.
        """
        async with self._asking:
            if self._server is not None and self._server.poll() is not None:
                self.close()
            message = {"parent": os.getpid(), "death_signal": int(self._death_signal), "request": request}
            _adopt_orphans(True)
            try:
                async with asyncio.timeout(_START_SECONDS):
                    answer = await self._ask(json.dumps(message).encode(), fds)
                return ForkedProcess(int(answer))
            except (OSError, ValueError) as error:  # in an unknown state
                self.close()
                raise OSError(f"the fork server does not answer: {error!r}") from error
            finally:
                _adopt_orphans(False)

    def close(self) -> None:
        """End the server; what it has forked goes on."""
        if self._socket is not None:
            self._socket.close()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        self._socket = self._server = None

    async def _ask(self, message: bytes, fds: Sequence[int]) -> bytes:
        if self._socket is None:
            self._socket = self._start()
        socket.send_fds(self._socket, [message], fds)
        return await asyncio.get_running_loop().sock_recv(self._socket, _MOST_BYTES)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = spawn(
                self._argv(theirs.fileno()),
                death_signal=signal.SIGKILL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **ONE_THREAD},
                start_new_session=True,
            )
        ours.setblocking(False)
        return ours


def _adopt_orphans(adopt: bool) -> None:
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


@dataclass(frozen=True, slots=True)
class Forked:
    """What a forked process was asked for; the descriptors are its to close."""

    request: Request
    fds: list[int]


def serve_forks(fd: int) -> Forked | None:
    """Fork for whoever is at the other end of the socket `fd`. Returns in each forked process, in a session of its own.

    None: in the server, once the other end is closed.
    """
    with socket.socket(fileno=fd) as asked:
        while True:
            message, fds, _, _ = socket.recv_fds(asked, _MOST_BYTES, _MOST_FDS)
            if not message:
                return None
            read, write = os.pipe()
            between = os.fork()
            if between == 0:
                child = os.fork()
                if child != 0:
                    os.write(write, str(child).encode())
                    os._exit(0)
                os.close(read)
                os.close(write)
                break
            os.waitpid(between, 0)  # from here on the child is the asker's
            for other in (write, *fds):
                os.close(other)
            with os.fdopen(read, "rb") as pid, contextlib.suppress(OSError):
                asked.send(pid.read())
    decoded = json.loads(message)
    _be_adopted(decoded["parent"], signal.Signals(decoded["death_signal"]))
    return Forked(decoded["request"], fds)


def _be_adopted(parent_pid: int, death_signal: signal.Signals) -> None:
    os.setsid()
    deadline = time.monotonic() + _ADOPTION_SECONDS
    while os.getppid() != parent_pid and time.monotonic() < deadline:
        time.sleep(0.001)
    die_with_parent(death_signal, parent_pid=parent_pid)
