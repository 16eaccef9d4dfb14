"""A real livekit-server for the tests of one pytest process."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.livekit_server import LiveKitServer, LiveKitServerError, find_or_build


@pytest.fixture(scope="session")
def livekit_binary() -> Path:
    """The server's program; a missing one fails in CI and skips loudly elsewhere."""
    try:
        return find_or_build(print)
    except LiveKitServerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO LIVEKIT SERVER: {error}")


@pytest.fixture(scope="session")
def livekit(livekit_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    """One server on loopback for all tests of this process; tests keep apart by room names."""
    with LiveKitServer(livekit_binary, tmp_path_factory.mktemp("livekit")) as server:
        yield server


@pytest.fixture
def own_livekit(livekit_binary: Path, tmp_path: Path) -> Iterator[LiveKitServer]:
    """A server that the test may kill, freeze and start again."""
    with LiveKitServer(livekit_binary, tmp_path / "livekit") as server:
        yield server
