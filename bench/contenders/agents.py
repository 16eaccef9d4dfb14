"""Contender: livekit-agents with a bare recorder as its job, a process per job as it does by default."""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from livekit import api

from bench.measuring.probing import until
from bench.measuring.process_tree import tree
from bench.scenes.rooms import on_server
from parley.servers.child_process import spawn
from parley.servers.livekit_server import LiveKitServer
from tools.peers.peer_environment import agents_version

_RECORDER = Path(__file__).parents[1] / "children" / "agents_recorder.py"
_BYTES_PER_SAMPLE = 2
_STOP_SECONDS = 15


class AgentsContender:
    """A worker of livekit-agents in production mode; jobs are dispatched to it explicitly, one per room."""

    def __init__(self, server: LiveKitServer, pid: int, agent: str, folder: Path, sample_rate: int) -> None:
        self.name = f"livekit-agents {agents_version()}"
        self._server = server
        self._pid = pid
        self._agent = agent
        self._folder = folder
        self._sample_rate = sample_rate
        self._dispatches: list[tuple[str, str]] = []

    def parts(self) -> Mapping[str, Sequence[psutil.Process]]:
        """The worker, its fork server and its jobs."""
        return {self.name: tree(self._pid)}

    def record(self, rooms: Sequence[str]) -> None:
        """Dispatch a job to each room and wait until each has written audio."""

        async def dispatch(client: api.LiveKitAPI) -> None:
            for room in rooms:
                request = api.CreateAgentDispatchRequest(agent_name=self._agent, room=room)
                made = await client.agent_dispatch.create_dispatch(request)
                self._dispatches.append((made.id, room))

        on_server(self._server, dispatch)
        until(
            lambda: len([path for path in self._files() if path.stat().st_size > self._sample_rate]) == len(rooms),
            what="livekit-agents records every room",
            seconds=120,
        )

    def received_seconds(self) -> tuple[float, float]:
        """The length of its files."""
        size_bytes = sum(path.stat().st_size for path in self._files())
        return size_bytes / (_BYTES_PER_SAMPLE * self._sample_rate), time.monotonic()

    def finish(self) -> None:
        """Take the jobs back: their processes end."""

        async def delete(client: api.LiveKitAPI) -> None:
            for dispatch_id, room in self._dispatches:
                with contextlib.suppress(api.TwirpError):
                    await client.agent_dispatch.delete_dispatch(dispatch_id, room)

        on_server(self._server, delete)

    def _files(self) -> list[Path]:
        return list(self._folder.glob("*.wav"))


@contextlib.contextmanager
def agents(
    server: LiveKitServer, folder: Path, python: Path, *, sample_rate: int, frame_ms: int
) -> Iterator[AgentsContender]:
    """A registered worker with its idle processes warm."""
    agent = f"recorder-{secrets.token_hex(4)}"  # so that no earlier worker's dispatches are for it
    files = folder / agent
    files.mkdir()
    environment = {
        **os.environ,
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.api_key,
        "LIVEKIT_API_SECRET": server.api_secret,
        "BENCH_AGENT": agent,
        "BENCH_FOLDER": str(files),
        "BENCH_SAMPLE_RATE": str(sample_rate),
        "BENCH_FRAME_MS": str(frame_ms),
    }
    log_path = folder / f"{agent}.log"
    argv: list[str | Path] = [python, "-m", "livekit.agents", "start", _RECORDER]
    with log_path.open("wb") as log:
        process = spawn(
            argv,
            death_signal=signal.SIGKILL,
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: "registered worker" in _text(log_path, process), what="livekit-agents is registered")
        _wait_for_warm_processes(process.pid)
        yield AgentsContender(server, process.pid, agent, files, sample_rate)
    finally:
        _stop(process)


def _text(log: Path, process: "subprocess.Popen[bytes]") -> str:
    text = log.read_text(errors="replace")
    if process.poll() is not None:
        raise RuntimeError(f"livekit-agents has ended:\n{text[-3000:]}")
    return text


def _wait_for_warm_processes(pid: int) -> None:
    """Until its processes are there and use no CPU any more: idle memory is read after this."""
    used = -1.0

    def still() -> bool:
        nonlocal used
        before, used = used, sum(sum(process.cpu_times()[:2]) for process in tree(pid))
        return used - before < 0.05

    until(still, what="livekit-agents is warm", poll_seconds=1.5)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        family = tree(process.pid)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()
