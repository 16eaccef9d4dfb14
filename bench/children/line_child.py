"""A child process that is talked to in JSON lines: requests on its stdin, answers on its stdout."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from parley.servers.child_process import spawn
from parley.servers.fork_server import ONE_THREAD

_STOP_SECONDS = 20


class ChildFailedError(Exception):
    """A child of the benchmark ended or did not answer; the text has the end of its log."""


class LineChild:
    """Started on entering; its stdin is closed on leaving, which asks it to end. Dies with this process.

    It computes in one thread, as Parley's processes for jobs and recordings do.
    """

    def __init__(
        self, argv: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self._argv = argv
        self._log = log
        self._env = env
        self._cwd = cwd
        self._pending = b""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = spawn(
                self._argv,
                death_signal=signal.SIGKILL,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**(os.environ if self._env is None else self._env), **ONE_THREAD},
                cwd=self._cwd,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(0.2 if error else _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def ask(self, request: Any, *, seconds: float = 60) -> Any:
        """Send a request and return its answer. Raises ChildFailedError."""
        self.send(request)
        return self.receive(seconds=seconds)

    def send(self, request: Any) -> None:
        """Send a request."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def receive(self, *, seconds: float = 60) -> Any:
        """The next answer. Raises ChildFailedError when there is none within `seconds`."""
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._pending:
            readable, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
            data = os.read(descriptor, 65536) if readable else b""
            if not data:
                raise ChildFailedError(f"{self._argv}: no answer\n{self._log.read_text(errors='replace')[-3000:]}")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)
