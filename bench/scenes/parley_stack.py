"""Parley as its users run it: `parley api` and `parley worker` as processes, with production's settings."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.measuring.probing import until
from bench.measuring.process_tree import tree
from bench.scenes.rooms import RECORDER, recorder_token
from parley.servers.child_process import spawn
from parley.servers.livekit_server import LiveKitServer

MASTER_KEY = "parley_master_" + "b" * 43
_SECRET_KEY = "b" * 40
_STOP_SECONDS = 60
_CALL_SECONDS = 45


@dataclass
class ParleyApi:
    """An API process, called over one kept connection."""

    url: str
    process: psutil.Process
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_CALL_SECONDS)

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """One request; the parsed answer. Raises RuntimeError unless it is a 2xx."""
        data = None if body is None else json.dumps(body).encode()
        content = {} if data is None else {"Content-Type": "application/json"}
        sent = {"Authorization": f"Bearer {MASTER_KEY}", **content, **(headers or {})}
        try:
            self._connection.request(method, path, data, sent)
            answer = self._connection.getresponse()
            text = answer.read()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()  # kept too long by us
            self._connection.request(method, path, data, sent)
            answer = self._connection.getresponse()
            text = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:600]!r}")
        return json.loads(text) if text else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def create(self, server: LiveKitServer, room: str, **fields: Any) -> str:
        """A session that records `room`, with these members besides; its id."""
        transport = {
            "type": "livekit",
            "url": server.url,
            "room_name": room,
            "worker_token": recorder_token(server, room),
            "worker_identity": RECORDER,
        }
        body = {"transport": transport, "max_duration_seconds": 14400, "idle_timeout_seconds": 600, **fields}
        return str(self.call("POST", "/v1/sessions", body)["id"])

    def get(self, session_id: str) -> dict[str, Any]:
        """The resource."""
        return dict(self.call("GET", f"/v1/sessions/{session_id}"))

    def wait(self, session_id: str, goal: str) -> dict[str, Any]:
        """The resource as soon as it is `running` or `terminal`, by long poll."""
        path = f"/v1/sessions/{session_id}?until={goal}"
        return dict(self.call("GET", path, headers={"Prefer": "wait=30"}))

    def end(self, session_id: str) -> None:
        """Ask for the end."""
        self.call("POST", f"/v1/sessions/{session_id}/end")


@dataclass(frozen=True, slots=True)
class ParleyWorker:
    """A worker with its recorder processes."""

    process: "subprocess.Popen[bytes]"

    def family(self) -> list[psutil.Process]:
        """Supervisor, recorders and the process for short jobs."""
        return tree(self.process.pid)

    def recorders(self) -> list[psutil.Process]:
        """The processes that record."""
        return self.named("recorder")

    def named(self, word: str) -> list[psutil.Process]:
        """Those that have `word` in their command line; not one that has just ended, as those on demand do."""
        found = []
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if word in process.cmdline():
                    found.append(process)
        return found


@contextlib.contextmanager
def parley_api(database_url: str, folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[ParleyApi]:
    """An API that answers."""
    with _service("api", database_url, folder, {"PARLEY_API_PORT": "0", **(settings or {})}) as (process, url):
        api = ParleyApi(url, psutil.Process(process.pid))
        try:
            yield api
        finally:
            api.close()


@contextlib.contextmanager
def parley_worker(
    database_url: str,
    folder: Path,
    *,
    processes: int,
    heartbeat_seconds: float,
    default_speech: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[ParleyWorker]:
    """A worker that is ready. With speech, the sessions of one round are transcribed during the next one's.

    See `default_worker` for one that is set to nothing.
    """
    chosen = {
        "PARLEY_PROCESSES": str(processes),
        "PARLEY_HEARTBEAT_SECONDS": str(heartbeat_seconds),
        "PARLEY_STALLED_SECONDS": str(3 * heartbeat_seconds),
        **({} if default_speech else {"PARLEY_SPEECH_ENGINE": "none"}),
        **(settings or {}),
    }
    with _service("worker", database_url, folder, chosen) as (process, _):
        yield ParleyWorker(process)


@contextlib.contextmanager
def default_worker(database_url: str, folder: Path) -> Iterator[ParleyWorker]:
    """A worker that is ready, with the defaults of all settings but those that every installation makes."""
    with _service("worker", database_url, folder, {}) as (process, _):
        yield ParleyWorker(process)


@contextlib.contextmanager
def _service(
    command: str, database_url: str, folder: Path, settings: Mapping[str, str]
) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PARLEY_")}
    environment = {
        **clean,
        "PARLEY_DATABASE_URL": database_url,
        "PARLEY_STORAGE_URL": (folder / "objects").as_uri(),
        "PARLEY_DATA_DIR": str(folder / command),
        "PARLEY_SECRET_KEY": _SECRET_KEY,
        "PARLEY_MASTER_KEY": MASTER_KEY,
        "PARLEY_ALLOW_PRIVATE_HOSTS": "true",
        **settings,
    }
    url_file = folder / f"{command}.url"
    url_file.unlink(missing_ok=True)
    log_path = folder / f"{command}.log"
    extra = ["--children-die-by", "KILL"] if command == "worker" else []
    with log_path.open("ab") as log:
        process = spawn(
            [sys.executable, "-m", "parley", command, "--url-file", url_file, *extra],
            death_signal=signal.SIGKILL,
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: _ready(process, url_file, log_path), what=f"parley {command} is ready")
        yield process, url_file.read_text().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        process.kill()
        process.wait()


def _ready(process: "subprocess.Popen[bytes]", url_file: Path, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"{process.args!r} has ended:\n{log.read_text(errors='replace')[-3000:]}")
    if not url_file.exists():
        return False
    connection = http.client.HTTPConnection(urlsplit(url_file.read_text().strip()).netloc, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
