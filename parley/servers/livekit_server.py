"""A LiveKit server of our own on loopback, for tests, `parley demo` and `parley dev`; customers bring theirs."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import jwt

from parley.servers.child_process import spawn
from parley.servers.free_ports import free_ports, is_free
from parley.servers.livekit_program import LiveKitServerError

_CONFIGURATION = "livekit.yaml"
_START_TRIES = 5  # a port that we chose may be taken before the server binds it
_POLL_SECONDS = 0.02
_EMPTY_ROOM_SECONDS = 3600  # by default a room in which nobody but a recorder is closes after five minutes
_TOKEN_SECONDS = 60
_ASK_SECONDS = 0.2  # the first SIGTERM waits for participants to leave, the second one does not
_KILL_SECONDS = 5
_SECRET_BYTES = 32


class LiveKitServer:
    """A server on 127.0.0.1, which dies with this process. Blocking; `folder` gets its configuration and its log.

    Port and keys stay the same over `kill()` or `stop()` and another `start()`.
    """

    def __init__(
        self,
        binary: Path,
        folder: Path,
        *,
        api_key: str | None = None,
        api_secret: str | None = None,
        port: int = 0,
        start_seconds: float = 30,
    ) -> None:
        self.api_key = api_key or f"API{secrets.token_hex(6)}"
        self.api_secret = api_secret or secrets.token_urlsafe(_SECRET_BYTES)
        self._binary = binary
        self._folder = folder
        self._port_is_given = port != 0
        self._port = port
        self._media_port = 0
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def resumed(cls, binary: Path, folder: Path) -> Self:
        """With the keys that `folder` had the last time, and its port if nobody has taken it since."""
        try:
            known = json.loads((folder / _CONFIGURATION).read_text())
            ((api_key, api_secret),) = known["keys"].items()
            port = int(known["port"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(binary, folder)
        return cls(binary, folder, api_key=api_key, api_secret=api_secret, port=port if is_free(port) else 0)

    @property
    def url(self) -> str:
        """Where participants connect; known once started."""
        return f"ws://127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """The file to which the server writes its log."""
        return self._folder / "livekit.log"

    @property
    def pid(self) -> int | None:
        """The process id of the server; None before it was started."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers. Raises LiveKitServerError."""
        deadline = time.monotonic() + self._start_seconds
        if self._process is not None and self._wait_until_ready(deadline):
            return
        self.kill()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports_are_fixed = self._port_is_given or self._media_port != 0
        for _ in range(1 if ports_are_fixed else _START_TRIES):
            if self._media_port == 0 or not ports_are_fixed:
                self._choose_ports()
            self._process = self._spawn()
            if self._wait_until_ready(deadline):
                return
            self.kill()
        raise LiveKitServerError(f"livekit-server did not start on port {self._port}. See {self.log}")

    def stop(self) -> None:
        """Ask the server to stop, within seconds also when rooms are open."""
        process = self._process
        if process is None:
            return
        for wait_seconds in (_ASK_SECONDS, _KILL_SECONDS):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait_seconds)
                break
        self.kill()

    def kill(self) -> None:
        """Kill the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _choose_ports(self) -> None:
        if self._port_is_given:
            (self._media_port,) = free_ports(1)
        else:
            self._port, self._media_port = free_ports(2)

    def _spawn(self) -> subprocess.Popen[bytes]:
        config = self._folder / _CONFIGURATION
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._configuration(), file, indent=2)  # JSON is YAML
        with self.log.open("ab") as log:
            return spawn(
                [self._binary, "--config", config], death_signal=signal.SIGKILL, stdout=log, stderr=subprocess.STDOUT
            )

    def _configuration(self) -> dict[str, object]:
        return {
            "port": self._port,
            "bind_addresses": ["127.0.0.1"],
            "keys": {self.api_key: self.api_secret},
            "rtc": {
                "node_ip": "127.0.0.1",
                "use_external_ip": False,
                "enable_loopback_candidate": True,
                "interfaces": {"includes": ["lo"]},
                "tcp_port": 0,  # off: it would listen on every address
                "udp_port": self._media_port,
            },
            "room": {"empty_timeout": _EMPTY_ROOM_SECONDS},
            "turn": {"enabled": False},
            "logging": {"level": "info", "json": True},
        }

    def _wait_until_ready(self, deadline: float) -> bool:
        """Whether it answers to its keys (on its port there might be another server); False as soon as it ended."""
        assert self._process is not None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), opener.open(self._list_rooms(), timeout=1):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _list_rooms(self) -> urllib.request.Request:
        claims = {"iss": self.api_key, "exp": time.time() + _TOKEN_SECONDS, "video": {"roomList": True}}
        token = jwt.encode(claims, self.api_secret, algorithm="HS256")
        url = f"http://127.0.0.1:{self._port}/twirp/livekit.RoomService/ListRooms"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return urllib.request.Request(url, data=b"{}", headers=headers)
