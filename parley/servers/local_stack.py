"""The whole stack on this machine, for `parley dev` and `parley demo`: PostgreSQL, LiveKit, API and worker.

However this process dies, nothing of it stays: every child has asked the kernel to be killed with its parent, and
PostgreSQL stops with its last user.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from parley.command_error import CommandError
from parley.servers.child_process import die_with_parent, spawn
from parley.servers.embedded_postgres import EmbeddedPostgres
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer

_START_SECONDS = 120
_POLL_SECONDS = 0.05
_SHOWN_LINES = 15
_MAKES = ("make", "gmake")

Progress = Callable[[str], None]


@dataclass(slots=True)
class _Service:
    name: str
    process: "subprocess.Popen[bytes]"
    url_file: Path
    log: Path | None
    url: str = field(default="")


class LocalStack:
    """Entered: everything answers. `environment` configures API and worker; blocking.

    There is one in a folder at a time. With `logs` each service writes `<name>.log` there, else it writes to this
    terminal. On leaving, services have `stop_seconds` before they are killed.
    """

    def __init__(
        self,
        data_dir: Path,
        environment: Mapping[str, str],
        *,
        livekit_binary: Path | None,
        logs: Path | None,
        progress: Progress,
        stop_seconds: float = 15,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._environment = {**environment, "PARLEY_DATA_DIR": str(self.data_dir)}
        self._livekit_binary = livekit_binary
        self._logs = logs
        self._progress = progress
        self._stop_seconds = stop_seconds
        self._services: list[_Service] = []
        self._undo = contextlib.ExitStack()
        self._livekit: LiveKitServer | None = None

    @property
    def livekit(self) -> LiveKitServer:
        """The LiveKit server, which runs."""
        assert self._livekit is not None
        return self._livekit

    @property
    def api_url(self) -> str:
        """Base URL of the API."""
        return self._service("api").url

    @property
    def worker_url(self) -> str:
        """Base URL of the worker's health pages."""
        return self._service("worker").url

    def check(self) -> None:
        """Return while every service runs.

        Raises:
            CommandError: one has ended by itself.
        """
        for service in self._services:
            if service.process.poll() is not None:
                raise CommandError(self._obituary(service))

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def _start(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        self._hold_folder()
        binary = find_or_build(self._progress, configured=self._livekit_binary)
        if "PARLEY_DATABASE_URL" not in self._environment:
            self._progress("PostgreSQL …")
            self._undo.enter_context(EmbeddedPostgres(self.data_dir))
        self._progress("LiveKit …")
        self._livekit = self._undo.enter_context(LiveKitServer.resumed(binary, self.data_dir / "livekit"))
        self._undo.callback(self._stop_services)
        self._progress("API and worker …")
        self._launch("api")
        self._launch("worker", "--children-die-by", "KILL")
        self._wait(deadline)

    def _hold_folder(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._undo.enter_context((self.data_dir / "stack.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"Parley runs in {self.data_dir} already: stop it (Ctrl-C where it was started), or name another folder"
                " with PARLEY_DATA_DIR and another port with PARLEY_API_PORT"
            ) from None

    def _launch(self, name: str, *options: str) -> None:
        run = self.data_dir / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        url_file = run / f"{name}.{os.getpid()}.url"
        self._undo.callback(url_file.unlink, missing_ok=True)
        argv: list[str | Path] = [sys.executable, "-m", "parley", name, "--url-file", url_file, *options]
        log = None
        with contextlib.ExitStack() as files:
            output = None
            if self._logs is not None:
                self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
                log = self._logs / f"{name}.log"
                output = files.enter_context(log.open("wb"))
            # A session of its own: Ctrl-C reaches this process alone, which then stops the others in its order.
            process = spawn(
                argv,
                death_signal=signal.SIGKILL,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
            )
        self._services.append(_Service(name, process, url_file, log))

    def _wait(self, deadline: float) -> None:
        for service in self._services:
            while not self._is_ready(service):
                self.check()
                if time.monotonic() > deadline:
                    raise CommandError(f"the {service.name} is not ready within {_START_SECONDS} s")
                time.sleep(_POLL_SECONDS)

    @staticmethod
    def _is_ready(service: _Service) -> bool:
        if not service.url and service.url_file.exists():
            service.url = service.url_file.read_text().strip()
        return bool(service.url) and _answers(f"{service.url}/readyz")

    def _service(self, name: str) -> _Service:
        return next(service for service in self._services if service.name == name)

    def _stop_services(self) -> None:
        for service in reversed(self._services):
            service.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._stop_seconds
        for service in self._services:
            try:
                service.process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                service.process.kill()
                service.process.wait()

    @staticmethod
    def _obituary(service: _Service) -> str:
        text = f"the {service.name} has ended with code {service.process.returncode}"
        if service.log is None:
            return text
        lines = service.log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
        return "\n".join([f"{text}; the end of {service.log}:", *lines])


def die_with_make() -> None:
    """If make runs us, let a kill -9 of make end us too; a shell or terminal ends its children by other means."""
    parent = os.getppid()
    with contextlib.suppress(OSError):
        if Path(f"/proc/{parent}/comm").read_text().strip() in _MAKES:
            die_with_parent(signal.SIGKILL, parent_pid=parent)


def interrupt_on_sigterm() -> None:
    """Let SIGTERM and SIGHUP stop us as Ctrl-C does, also where a shell started us with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
