"""Folders, processes and the LiveKit program for the tests of the servers that we start ourselves."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.servers.livekit_program import LiveKitServerError, find_or_build
from tests.integration.parley.servers.process_probes import Scripts


@pytest.fixture
def scripts() -> Iterator[Scripts]:
    found = Scripts()
    yield found
    found.kill_all()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A 0700 folder whose path leaves room for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="parley-s-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def livekit_program() -> Path:
    """The real server; in CI a missing one is a failure."""
    try:
        return find_or_build(lambda line: sys.stderr.write(f"{line}\n"))
    except LiveKitServerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO LIVEKIT SERVER, real tests are skipped: {error}")
