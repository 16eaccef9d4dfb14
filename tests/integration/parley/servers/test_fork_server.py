"""Processes that are forked from a server: whose children they are, and what becomes of them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from parley.commands.children.worker_children import RECORDER, request_of
from parley.commands.worker import nursery_argv
from parley.servers.fork_server import ForkedProcess, ForkServer
from worker.vitals.pulse import Pulse

_PROGRAM = """
import os, sys, time
from parley.servers.command_line import show_command_line
from parley.servers.fork_server import serve_forks
forked = serve_forks(int(sys.argv[1]))
if forked is None:
    sys.exit(0)
show_command_line(["forked", forked.request["name"]])
for fd in forked.fds:
    os.write(fd, forked.request["name"].encode())
if "exit" in forked.request:
    sys.exit(forked.request["exit"])
time.sleep(60)
"""


def _argv(fd: int) -> Sequence[str]:
    return [sys.executable, "-c", _PROGRAM, str(fd), "." * 32]


@pytest.fixture
async def server() -> AsyncIterator[ForkServer]:
    """A server of processes that say their name and sleep, or exit."""
    server = ForkServer(_argv, signal.SIGKILL)
    yield server
    server.close()


async def _exit_code(process: ForkedProcess) -> int:
    return await asyncio.to_thread(process.wait)


async def test_a_forked_process_is_ours(server: ForkServer) -> None:
    """It gets what it is asked for, is our child, shows its own command line, and its end is told to us."""
    read, write = os.pipe()

    process = await server.fork({"name": "ann"}, [write])

    os.close(write)
    assert await asyncio.to_thread(os.read, read, 10) == b"ann"
    os.close(read)
    seen = psutil.Process(process.pid)
    assert (seen.ppid(), seen.cmdline()[:2]) == (os.getpid(), ["forked", "ann"])
    process.kill()
    assert await _exit_code(process) == -signal.SIGKILL
    process.send_signal(signal.SIGTERM)


async def test_an_exit_code_arrives(server: ForkServer) -> None:
    """As with any child."""
    assert await _exit_code(await server.fork({"name": "bob", "exit": 7})) == 7


async def test_a_dead_server_costs_its_processes_nothing_and_is_replaced(server: ForkServer) -> None:
    """They are not its children."""
    first = await server.fork({"name": "ann"})
    [dead] = [child for child in psutil.Process().children() if child.pid != first.pid and _PROGRAM in child.cmdline()]
    dead.kill()
    dead.wait(5)

    second = await server.fork({"name": "bob"})

    assert psutil.Process(first.pid).status() != psutil.STATUS_ZOMBIE
    for process in (first, second):
        process.kill()
        await _exit_code(process)


async def test_a_server_may_be_forked_from_whoever_asks_it(tmp_path: Path) -> None:
    """Its processes show command lines longer than their program's; when it is dead, a program takes its place."""
    program = tmp_path / "asker.py"
    program.write_text(
        "import asyncio, os, signal, sys, time\n"
        "from parley.servers.command_line import show_command_line\n"
        "from parley.servers.fork_server import ForkServer, begin_server, serve_forks\n"
        "from tests.integration.parley.servers.test_fork_server import _argv\n"
        "begun = begin_server()\n"
        "if isinstance(begun, int):\n"
        "    forked = serve_forks(begun)\n"
        "    assert forked is not None and os.environ['HOME'] == '/nowhere'\n"
        "    show_command_line(['forked', forked.request['name'], *(f'word-{n}' for n in range(30))])\n"
        "    os.system('echo $HOME > seen')\n"
        "    time.sleep(60)\n"
        "async def main():\n"
        "    server = ForkServer(_argv, signal.SIGKILL, begun)\n"
        "    first = await server.fork({'name': 'ann'})\n"
        "    print(begun.process.pid, first.pid, flush=True)\n"
        "    await asyncio.to_thread(sys.stdin.readline)\n"
        "    second = await server.fork({'name': 'bob', 'exit': 7})\n"
        "    print(begun.process.poll(), await asyncio.to_thread(second.wait), flush=True)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "HOME": "/nowhere", "PYTHONPATH": str(Path.cwd()), "ROOM": "." * 300}
    asker = await asyncio.create_subprocess_exec(
        sys.executable,
        program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        cwd=tmp_path,
    )
    assert asker.stdin is not None
    assert asker.stdout is not None
    server, first = (psutil.Process(int(word)) for word in (await asker.stdout.readline()).split())
    async with asyncio.timeout(5):
        while not (tmp_path / "seen").exists() or not (tmp_path / "seen").read_text():  # noqa: ASYNC110 it says when
            await asyncio.sleep(0.01)
    assert (tmp_path / "seen").read_text() == "/nowhere\n"
    assert " ".join(first.cmdline()) == "forked ann " + " ".join(f"word-{n}" for n in range(30))
    server.kill()
    async with asyncio.timeout(5):
        while server.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 its parent is to see it
            await asyncio.sleep(0.01)
    asker.stdin.write(b"\n")
    assert await asker.stdout.readline() == b"-9 7\n"
    assert await asker.wait() == 0
    first.wait(5)  # it dies with whom it was made for


async def test_forked_processes_die_with_whom_they_were_made_for(tmp_path: Path) -> None:
    """kill -9 of that one."""
    program = (
        "import asyncio, signal, sys\n"
        "from parley.servers.fork_server import ForkServer\n"
        "from tests.integration.parley.servers.test_fork_server import _argv\n"
        "async def main():\n"
        "    print((await ForkServer(_argv, signal.SIGKILL).fork({'name': 'ann'})).pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()

    await asyncio.to_thread(child.wait, 5)


async def test_recorders_are_forked_while_there_is_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the nursery imports starts any: LiveKit's library is not loaded, and BLAS has no workers."""
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PARLEY_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    monkeypatch.setenv("PARLEY_SECRET_KEY", "s" * 40)
    nursery = ForkServer(nursery_argv, signal.SIGKILL)
    with Pulse.create() as pulse:
        process = await nursery.fork(request_of(RECORDER, owner=UUID(int=1), suspects=0, guard_port=1), [pulse.fd])
    try:
        others = [child for child in psutil.Process().children() if child.pid != process.pid]  # it may not be named yet
        [parent] = [child for child in others if "nursery" in child.cmdline()]
        assert "nursery" in parent.cmdline()
        assert parent.num_threads() == 1
        assert not any("livekit" in mapped.path for mapped in parent.memory_maps())
    finally:
        process.kill()
        await _exit_code(process)
        nursery.close()
