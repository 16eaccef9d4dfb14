"""The image, built once per run, and a stack of containers of it as compose.yaml wires them."""

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from parley.servers.free_ports import free_ports
from parley.servers.livekit_server import LiveKitServer
from tests.support.running import container_image
from tests.support.running.container_image import ROOT, Image
from tests.support.running.container_stack import ContainerStack
from tests.support.running.stack import MASTER_KEY, SECRET_KEY
from tests.support.services.postgres_cluster import PostgresCluster

_PROGRAMS = ("buildah", "debootstrap", "unshare")


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """What the Dockerfile builds; missing programs fail in CI and skip loudly elsewhere."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        if os.environ.get("CI"):
            pytest.fail(f"the image can't be built without {', '.join(missing)}")
        pytest.skip(f"THE IMAGE WAS NOT BUILT: it needs {', '.join(missing)} (apt-get install buildah debootstrap)")
    with container_image.built() as built:
        yield built


@pytest.fixture
async def containers(
    image: Image, database_folder: Path, tmp_path: Path, livekit: LiveKitServer
) -> AsyncIterator[ContainerStack]:
    """PostgreSQL on a port and no container yet; `environment` is compose.yaml's."""
    [port] = free_ports(1)
    folder = database_folder / f"compose-{os.getpid()}"
    cluster = PostgresCluster(folder, port=port)
    cluster.start()
    try:
        composed = _composed(image.workdir)
        composed["PARLEY_ALLOW_ROOM_NETWORKS"] = "127.0.0.0/8"  # the room's server of a test is on this host
        url = f"postgresql://parley:secret@127.0.0.1:{port}/parley"
        async with ContainerStack(tmp_path, url, livekit, composed, image=image) as stack:
            _write_secrets(stack.volume / "secrets")
            yield stack
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def _write_secrets(folder: Path) -> None:
    """The files that compose.yaml mounts; here they lie in the volume, as a container of the test has no other."""
    folder.mkdir()
    for name, secret in (("secret_key", SECRET_KEY), ("master_key", MASTER_KEY)):
        (folder / name).write_text(f"{secret}\n")


def _composed(volume: str) -> dict[str, str]:
    """What compose.yaml gives to the API and the workers, but for the database, which is elsewhere."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert services["api"]["environment"] == services["worker"]["environment"] == services["migrate"]["environment"]

    environment: dict[str, str] = services["api"]["environment"]
    del environment["PARLEY_DATABASE_URL_FILE"]
    return {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text).replace("/run/secrets", f"{volume}/secrets")
        for name, text in environment.items()
    }
