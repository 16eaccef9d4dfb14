"""`parley dev` and `parley demo` take everything that they started with them, however they end."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.support.network.webhook_listener import webhook_listener
from tests.support.running.stack import PARLEY, eventually


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Every living process that was started for this data folder."""
    found = []
    for process in psutil.process_iter():
        try:
            named = str(data_dir) in " ".join(process.cmdline()) or (
                process.environ().get("PARLEY_DATA_DIR", "").startswith(str(data_dir))
            )
            if named and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def start(argv: list[str], environment: dict[str, str], log_path: Path) -> "subprocess.Popen[bytes]":
    """A program whose output goes to `log_path`, started in that file's folder."""
    with log_path.open("wb") as log:
        return subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=log_path.parent
        )


@pytest.fixture
def data_dir(run_folder: Path) -> Iterator[Path]:
    """A data folder with a short path; whoever still uses it afterwards is killed."""
    folder = run_folder / f"left-{os.getpid()}"
    yield folder
    for process in processes_of(folder):
        process.kill()


async def a_webhook_comes(said: str) -> None:
    """To a receiver on loopback, at any port, in clear: `dev` says so."""
    assert re.search(r"webhooks +may go to loopback", said)
    [base_url], [key] = re.findall(r"PARLEY_URL=(\S+)", said), re.findall(r"PARLEY_KEY=(\S+)", said)
    async with webhook_listener() as hooks, aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
        async with http.post(f"{base_url}/v1/webhook_endpoints", json={"url": hooks.url}) as made:
            endpoint = await made.json()
        hooks.secret = endpoint["secret"]
        async with http.post(f"{base_url}/v1/webhook_endpoints/{endpoint['id']}/test") as tested:
            delivery = await tested.json()
    assert (delivery["state"], len(hooks.bodies)) == ("succeeded", 1), delivery


@pytest.mark.parametrize(
    ("command", "ready", "how"),
    [
        ("dev", "curl", signal.SIGTERM),
        ("dev", "curl", signal.SIGKILL),
        ("demo", "they talk", signal.SIGINT),
        ("demo", "they talk", signal.SIGKILL),
    ],
)
async def test_all_processes_are_gone(
    command: str, ready: str, how: signal.Signals, data_dir: Path, tmp_path: Path, livekit_binary: Path
) -> None:
    """Ctrl-C, SIGTERM and kill -9, once everything runs."""
    log_path = tmp_path / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    environment |= {
        "PARLEY_DATA_DIR": str(data_dir),
        "PARLEY_API_PORT": "0",
        "PARLEY_LIVEKIT_SERVER": str(livekit_binary),
        "PARLEY_PROCESSES": "1",
        "PYTHONUNBUFFERED": "1",
    }
    started = start([str(PARLEY), command], environment, log_path)

    async def runs() -> bool:
        assert started.poll() is None, log_path.read_text()
        return ready in log_path.read_text()

    async def alone() -> bool:
        return not processes_of(data_dir)

    await eventually(runs, seconds=60, what=f"{command} is ready")
    assert len(processes_of(data_dir)) >= 5
    if (command, how) == ("dev", signal.SIGTERM):
        await a_webhook_comes(log_path.read_text())
    started.send_signal(how)
    await asyncio.to_thread(started.wait, 45)
    await eventually(alone, seconds=20, what="everything is gone")
