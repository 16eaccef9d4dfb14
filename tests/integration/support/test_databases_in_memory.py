"""Databases of a run that is killed, as the next run finds them."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.test_run.memory_folder import has_room, sweep

ROOT = Path(__file__).parents[3]
CONFTEST = """
import asyncio

from tests.support.test_run.databases_in_memory import DatabasesInMemory

asyncio.set_event_loop(None)

def pytest_configure(config):
    DatabasesInMemory.register(config)
"""
PLANTED = """
import os, signal
from pathlib import Path

from parley.servers.embedded_postgres import EmbeddedPostgres
from tests.support.services.postgres_cluster import PostgresCluster
from tests.support.test_run.databases_in_memory import DatabasesInMemory

def test_is_killed(pytestconfig):
    folder = DatabasesInMemory.folder_of(pytestconfig)
    EmbeddedPostgres(folder / "pg", fsync=False).attach()
    cluster = PostgresCluster(folder / "own")
    cluster.start()
    cluster.freeze()
    Path("folder").write_text(str(folder))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_is_left_of_a_run_that_was_killed(tmp_path: Path) -> None:
    """Neither files nor processes: of an embedded server, which ends by itself, and of one that was frozen."""
    if not has_room():
        pytest.skip("NO ROOM IN /dev/shm: databases are in the run's folder")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_planted.py").write_text(PLANTED)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT)}
    subprocess.run(
        argv,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    folder = Path((tmp_path / "folder").read_text())
    assert (folder / "own" / "pg" / "postmaster.pid").exists()

    sweep()

    assert not folder.exists()
    assert [
        process for process in psutil.process_iter(["cmdline"]) if str(folder) in str(process.info["cmdline"])
    ] == []
