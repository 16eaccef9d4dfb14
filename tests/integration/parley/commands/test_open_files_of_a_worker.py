"""How many files the processes of a worker may have open."""

import resource
from pathlib import Path

import psutil

from parley.servers.livekit_server import LiveKitServer
from tests.support.running.stack import Stack, eventually

_FEW = ("sh", "-c", 'ulimit -Sn 256 && exec "$@"', "sh")  # as systems give it by themselves: 1024


async def test_every_process_of_a_worker_may_open_as_many_files_as_the_system_lets_it(
    tmp_path: Path, database_url: str
) -> None:
    """A recorder whose rooms all join while DNS is slow holds more than a thousand."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    never_started = LiveKitServer(tmp_path / "livekit-server", tmp_path)
    async with Stack(tmp_path, database_url, never_started) as stack:
        worker = await stack.start_worker(prefix=_FEW)

        async def has_recorder() -> bool:
            return any("recorder" in child.cmdline() for child in worker.children())

        await eventually(has_recorder, seconds=20, what="a recorder is there")
        for process in (psutil.Process(worker.popen.pid), *worker.children()):
            assert process.rlimit(resource.RLIMIT_NOFILE) == (hard, hard), process.cmdline()
