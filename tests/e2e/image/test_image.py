"""The image of our Dockerfile, built for real; its commands run as PID 1, as another user, on a read-only root."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import soundfile

from tests.support.running.container_image import Image
from tests.support.running.container_stack import ContainerStack
from tests.support.running.stack import Process
from tests.support.talkers.beeps import BeepPlan, BeepTalker, assert_true_recording, check_beeps

_MOST_BYTES_ABOVE_THE_BASE = 250_000_000
_STOP_SECONDS = 60.0  # compose.yaml's stop_grace_period
PLAN = BeepPlan(pitch_hz=600)


def uid(container: Process) -> int:
    """Whose processes it runs."""
    return psutil.Process(container.popen.pid).children()[0].uids().effective


def test_the_image_is_small(image: Image) -> None:
    """What comes on top of the base is what commands of ours read."""
    assert image.all_bytes - image.base_bytes <= _MOST_BYTES_ABOVE_THE_BASE
    installed = image.root / "opt/parley/lib/python3.11/site-packages"
    assert (installed / "worker").is_dir()
    assert not list(installed.rglob("__pycache__"))
    assert not (installed / "pytest").exists()
    assert list((installed / "control_api/pages/built/assets").glob("index-*.js.br"))


async def test_an_api_on_every_address_is_healthy_to_the_images_own_check(
    containers: ContainerStack,
) -> None:
    """`::` serves both families, and the check in the image asks where the API listens."""
    stack = containers
    migrate = stack.start("migrate", name="migrate")
    assert await asyncio.to_thread(migrate.popen.wait, 60) == 0, migrate.log()
    api = await stack.start_api(PARLEY_API_HOST="::")
    port = stack.bases[0].rpartition(":")[2]

    for address in ("127.0.0.1", "[::1]"):
        status, _ = await stack.call("GET", "/healthz", base=f"http://{address}:{port}")
        assert status == 200, address
    for asked, code in ((port, 0), ("1", 1)):
        environment = stack.environment(PARLEY_API_HOST="::", PARLEY_API_PORT=asked, PARLEY_WORKER_PORT="1")
        argv = stack.image.argv(stack.volume, stack.image.health_check, environment)
        assert (await asyncio.to_thread(subprocess.run, argv, timeout=60, check=False)).returncode == code
    assert await asyncio.to_thread(api.terminate, _STOP_SECONDS) == 0, api.log()


async def test_a_session_is_recorded_by_containers(
    containers: ContainerStack, room: str, talker: Callable[..., BeepTalker], tmp_path: Path
) -> None:
    """Migrate, API and worker of compose.yaml record a conversation, and stop by SIGTERM within their time."""
    stack = containers
    migrate = stack.start("migrate", name="migrate")
    assert await asyncio.to_thread(migrate.popen.wait, 60) == 0, migrate.log()
    api = await stack.start_api()
    worker = await stack.start_worker()
    assert {uid(api), uid(worker)} == {10001}

    async with talker("ann", PLAN) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(6)
        assert ann.beeps_spoken >= 4
        ended = await stack.end(session["id"])

    assert ended["status"] == "ended"
    wav = await stack.download(session["id"], tmp_path / "conversation.wav")
    samples, rate = soundfile.read(wav, dtype="int16")
    assert_true_recording([check_beeps(samples, PLAN, 1, len(samples) / rate - 0.5)])
    assert await asyncio.to_thread(worker.terminate, _STOP_SECONDS) == 0, worker.log()
    assert await asyncio.to_thread(api.terminate, _STOP_SECONDS) == 0, api.log()
