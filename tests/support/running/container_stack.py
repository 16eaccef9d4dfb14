"""A stack whose processes are containers of the image."""

import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from parley.servers.free_ports import free_ports
from tests.support.running.container_image import Image
from tests.support.running.stack import Process, Stack, eventually

_READY_SECONDS = 60.0


class Container(Process):
    """One container: signals go to its first process."""

    @property
    def first(self) -> psutil.Process:
        """PID 1 inside."""
        [first] = psutil.Process(self.popen.pid).children()
        return first

    def children(self) -> list[psutil.Process]:
        """The other processes inside."""
        return self.first.children(recursive=True)

    def terminate(self, seconds: float = 40) -> int:
        """SIGTERM to PID 1, as an engine does, and its exit code."""
        self.first.send_signal(signal.SIGTERM)
        return self.popen.wait(seconds)


@dataclass(kw_only=True)
class ContainerStack(Stack):
    """API and workers as containers; one volume for all of them, as in compose.yaml."""

    image: Image

    @property
    def volume(self) -> Path:
        """What the containers share."""
        volume = self.folder / "volume"
        volume.mkdir(mode=0o700, exist_ok=True)
        return volume

    def environment(self, **more: str) -> dict[str, str]:
        """What a container is given besides what the image says."""
        return {"PARLEY_DATABASE_URL": self.database_url, **self.settings, **more}

    def start(self, *arguments: str, name: str, prefix: tuple[str, ...] = (), **more: str) -> Process:
        """`docker run parley <arguments>`."""
        command = [*self.image.entrypoint, *arguments]
        log_path = self.folder / f"{name}.log"
        with log_path.open("ab") as log:
            popen = subprocess.Popen(
                [*prefix, *self.image.argv(self.volume, command, self.environment(**more))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        process = Container(name, popen, log_path)
        self.processes.append(process)
        return process

    async def start_api(self, name: str = "api", prefix: tuple[str, ...] = (), **more: str) -> Process:
        """An API container that answers, on a free port, as the network is this machine's."""
        [port] = free_ports(1)
        self.bases.append(f"http://127.0.0.1:{port}")
        addresses = {"PARLEY_API_PORT": str(port), "PARLEY_PUBLIC_URL": self.bases[-1]}
        process = self.start("api", name=name, prefix=prefix, **{**addresses, **more})
        await self._ready(process, self.bases[-1])
        return process

    async def start_worker(self, name: str = "worker", prefix: tuple[str, ...] = (), **more: str) -> Process:
        """A worker container that takes sessions."""
        [port] = free_ports(1)
        process = self.start("worker", name=name, prefix=prefix, **{"PARLEY_WORKER_PORT": str(port), **more})
        await self._ready(process, f"http://127.0.0.1:{port}")
        return process

    async def _ready(self, process: Process, base: str) -> None:
        async def ready() -> bool:
            assert process.popen.poll() is None, process.log()
            status, _ = await self.call("GET", "/readyz", base=base)
            return status == 200

        await eventually(ready, seconds=_READY_SECONDS, what=f"{process.name} is ready")
