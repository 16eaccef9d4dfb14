"""Parley as its users run it: `parley api` and `parley worker` as processes that share only their settings."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import psutil
from livekit import api as livekit_api

from parley.servers.livekit_server import LiveKitServer

PARLEY = Path(sys.executable).parent / "parley"
MASTER_KEY = "parley_master_" + "k" * 43
SECRET_KEY = "s" * 40
_DOWNLOAD_SECONDS = 120.0  # an hour's file is 360 MB

# Faster than production, in the same proportions: a lost worker is noticed in 3 s instead of 15.
QUICK = {
    "PARLEY_HEARTBEAT_SECONDS": "1",
    "PARLEY_STALLED_SECONDS": "3",
    "PARLEY_SEGMENT_SECONDS": "2",
    "PARLEY_SALVAGE_SECONDS": "8",
    "PARLEY_FINALIZE_RETRY_SECONDS": "2",
    "PARLEY_GRACE_SECONDS": "10",
    "PARLEY_PROCESSES": "1",
    "PARLEY_ALLOW_PRIVATE_HOSTS": "true",
}


async def eventually(probe: Callable[[], Awaitable[Any]], *, seconds: float = 30, what: str = "") -> Any:
    """The first truthy answer of `probe`; fails after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = await probe()
        if answer:
            return answer
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {what or probe}"
        await asyncio.sleep(0.05)


@dataclass
class Process:
    """One `parley …` process and where its log goes."""

    name: str
    popen: subprocess.Popen[bytes]
    log_path: Path

    def log(self) -> str:
        """Everything it has printed."""
        return self.log_path.read_text(errors="replace")

    def children(self) -> list[psutil.Process]:
        """Its living descendants."""
        return psutil.Process(self.popen.pid).children(recursive=True)

    def living(self, word: str) -> list[psutil.Process]:
        """The descendants that have `word` in their command line."""
        found = []
        for child in self.children():
            with suppress(psutil.NoSuchProcess):  # also one that is dead, and not waited for yet
                if word in child.cmdline():
                    found.append(child)
        return found

    def child(self, word: str) -> psutil.Process:
        """The first of them."""
        for child in self.living(word):
            return child
        raise LookupError(f"{self.name} has no process with {word} in its command line")

    def kill(self) -> None:
        """kill -9 of this one process; its children die with it."""
        self.popen.kill()
        self.popen.wait(10)

    def kill_with_children(self) -> None:
        """kill -9 of all its processes, as when a host is lost: none can tell of another's death."""
        children = self.children()
        self.popen.send_signal(signal.SIGSTOP)
        for child in children:
            child.kill()
        self.kill()

    def terminate(self, seconds: float = 40) -> int:
        """SIGTERM, and its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(seconds)


@dataclass
class Stack:
    """API processes and workers on one database, one object store and one LiveKit server."""

    folder: Path
    database_url: str
    livekit: LiveKitServer
    settings: Mapping[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)
    _http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {MASTER_KEY}"}, timeout=aiohttp.ClientTimeout(total=45)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._http is not None
        await self._http.close()
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.kill()
        for process in self.processes:
            process.popen.wait(10)
        for process in self.processes:
            print(f"--- log of {process.name}\n{process.log()[-6000:]}")  # noqa: T201 - pytest shows it on failure

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Self]:
        """The same for one test, with its own client; the processes go on afterwards."""
        ends = [len(process.log()) for process in self.processes]
        async with replace(self, processes=[], _http=None) as stack:
            yield stack
        for process, end in zip(self.processes, ends, strict=True):
            print(f"--- log of {process.name}\n{process.log()[end:][-6000:]}")  # noqa: T201 - shown on failure

    def environment(self, **more: str) -> dict[str, str]:
        """What every process of this stack is configured by."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        return {
            **clean,
            "PARLEY_DATABASE_URL": self.database_url,
            "PARLEY_STORAGE_URL": f"file://{self.folder / 'objects'}",
            "PARLEY_SECRET_KEY": SECRET_KEY,
            "PARLEY_MASTER_KEY": MASTER_KEY,
            "PARLEY_API_PORT": "0",
            **QUICK,
            **self.settings,
            **more,
        }

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `parley <arguments>` to its end; what it prints is in the result."""
        return subprocess.run(
            [str(PARLEY), *arguments],
            env=self.environment(PARLEY_DATA_DIR=str(self.folder / "commands"), **more),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str, name: str, prefix: tuple[str, ...] = (), **more: str) -> Process:
        """Start `parley <arguments>`; `prefix` is a command that runs it (setpriv, unshare, …)."""
        log_path = self.folder / f"{name}.log"
        with log_path.open("ab") as log:
            popen = subprocess.Popen(
                [*prefix, str(PARLEY), *arguments],
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        process = Process(name, popen, log_path)
        self.processes.append(process)
        return process

    async def start_api(self, name: str = "api", prefix: tuple[str, ...] = (), **more: str) -> Process:
        """An API process that answers."""
        url_file = self.folder / f"{name}.url"
        process = self.start("api", "--url-file", str(url_file), name=name, prefix=prefix, **more)
        base = await self._address(process, url_file)
        self.bases.append(base)

        async def answers() -> bool:
            status, _ = await self.call("GET", "/readyz", base=base)
            return status == 200

        await eventually(answers, what=f"{name} is ready")
        return self.processes[-1]

    async def start_worker(self, name: str = "worker", prefix: tuple[str, ...] = (), **more: str) -> Process:
        """A worker that takes sessions."""
        data_dir = more.pop("PARLEY_DATA_DIR", str(self.folder / name))
        url_file = self.folder / f"{name}.url"
        process = self.start(
            "worker", "--url-file", str(url_file), name=name, prefix=prefix, PARLEY_DATA_DIR=data_dir, **more
        )
        base = await self._address(process, url_file)

        async def ready() -> bool:
            status, _ = await self.call("GET", "/readyz", base=base)
            return status == 200

        await eventually(ready, seconds=40, what=f"{name} is ready")
        return process

    async def _address(self, process: Process, url_file: Path) -> str:
        """Where it listens."""

        async def said() -> str | None:
            assert process.popen.poll() is None, process.log()
            return url_file.read_text().strip() if url_file.exists() else None

        return str(await eventually(said, seconds=40, what=f"{process.name} says where it listens"))

    async def call(
        self, method: str, path: str, body: Any = None, *, base: str | None = None, **options: Any
    ) -> tuple[int, Any]:
        """One request: status and parsed JSON (or text)."""
        assert self._http is not None
        try:
            async with self._http.request(method, (base or self.bases[0]) + path, json=body, **options) as answer:
                if answer.content_type == "application/json":
                    return answer.status, await answer.json()
                return answer.status, await answer.text()
        except aiohttp.ClientConnectionError:
            return 0, None

    async def download(self, session_id: str, to: Path, query: str = "") -> Path:
        """`conversation.wav` as a customer fetches it, through the signed link; what `query` names is waited for."""
        assert self._http is not None
        whole = aiohttp.ClientTimeout(total=_DOWNLOAD_SECONDS)
        async with asyncio.timeout(_DOWNLOAD_SECONDS):
            while True:
                url = f"{self.bases[0]}/v1/sessions/{session_id}/audio{query}"
                async with self._http.get(url, timeout=whole) as answer:
                    if answer.status != 409 or not query:
                        assert answer.status == 200, await answer.text()
                        to.write_bytes(await answer.read())
                        return to
                    assert int(answer.headers["Retry-After"]) >= 1
                await asyncio.sleep(0.5)

    def token(self, room: str, identity: str = "parley-recorder", *, ttl: float = 600, **grants: Any) -> str:
        """A token as a customer mints it for the recorder."""
        wanted = {"can_publish": False, "hidden": True, "recorder": True, **grants}
        return (
            livekit_api.AccessToken(self.livekit.api_key, self.livekit.api_secret)
            .with_identity(identity)
            .with_ttl(timedelta(seconds=ttl))
            .with_grants(livekit_api.VideoGrants(room_join=True, room=room, can_subscribe=True, **wanted))
            .to_jwt()
        )

    async def create(self, room: str, *, token: str | None = None, **fields: Any) -> dict[str, Any]:
        """A session for `room`, created as a customer would; members of `transport` go into it."""
        transport = {
            "type": "livekit",
            "url": self.livekit.url,
            "room_name": room,
            "worker_token": token or self.token(room),
            **fields.pop("transport", {}),
        }
        status, session = await self.call("POST", "/v1/sessions", {"transport": transport, **fields})
        assert status == 201, session
        assert isinstance(session, dict)
        return session

    async def get(self, session_id: str) -> dict[str, Any]:
        """The resource now."""
        status, session = await self.call("GET", f"/v1/sessions/{session_id}")
        assert status == 200, session
        assert isinstance(session, dict)
        return session

    async def reach(self, session_id: str, *statuses: str, seconds: float = 40) -> dict[str, Any]:
        """The resource, as soon as its status is one of `statuses`."""

        async def there() -> dict[str, Any] | None:
            session = await self.get(session_id)
            return session if session["status"] in statuses else None

        found = await eventually(there, seconds=seconds, what=f"{session_id} is {' or '.join(statuses)}")
        assert isinstance(found, dict)
        return found

    async def end(self, session_id: str) -> dict[str, Any]:
        """Ask for the end and wait until the session is terminal."""
        status, answer = await self.call("POST", f"/v1/sessions/{session_id}/end")
        assert status == 200, answer
        return await self.reach(session_id, "ended", "failed", "canceled")

    @asynccontextmanager
    async def server_api(self) -> AsyncIterator[livekit_api.LiveKitAPI]:
        """The LiveKit server's own API, as the room's owner has it."""
        url = self.livekit.url.replace("ws", "http", 1)
        async with livekit_api.LiveKitAPI(url, self.livekit.api_key, self.livekit.api_secret) as client:
            yield client

    async def permit_listening(self, room: str, allowed: bool) -> None:
        """The room's owner takes `canSubscribe` from the worker, or gives it back."""
        permission = livekit_api.ParticipantPermission(can_subscribe=allowed, hidden=True, recorder=True)
        async with self.server_api() as owner:
            await owner.room.update_participant(
                livekit_api.UpdateParticipantRequest(room=room, identity="parley-recorder", permission=permission)
            )


def recorders(pid: int) -> list[psutil.Process]:
    """The processes of a worker that record."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # also one that is dead, and not waited for yet
            if "recorder" in child.cmdline():
                found.append(child)
    return found


async def stand_still(pid: int, seconds: float) -> None:
    """SIGSTOP the only recording process of a worker, and let it go on after so many seconds."""
    [recorder] = recorders(pid)
    recorder.suspend()
    await asyncio.sleep(seconds)
    recorder.resume()
