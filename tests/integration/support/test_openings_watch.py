"""The check of what tests leave open, as a run of pytest meets it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

CONFTEST = """
import asyncio

from tests.support.test_run.left_open import Openings
from tests.support.test_run.openings_watch import OpeningsWatch

asyncio.set_event_loop(None)

def pytest_configure(config):
    config.pluginmanager.register(OpeningsWatch(Openings()))
"""
PLANTED = """
import socket, pytest

kept = []

def test_careless():
    kept.append(socket.socket())

def test_innocent():
    pass

def test_garbage(tmp_path):
    cycle = [open(tmp_path / "forgotten", "w")]
    cycle.append(cycle)

@pytest.fixture(scope="module")
def careless_fixture():
    kept.append(socket.socket())

def test_user(careless_fixture):
    pass
"""


def test_a_planted_leak_is_an_error_of_who_left_it(tmp_path: Path) -> None:
    """Of the test, of the fixture, or else of the module; the others of the run are green."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_planted.py").write_text(PLANTED)
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert "4 passed, 2 errors" in run.stdout
    assert "ERROR test_planted.py::test_careless" in run.stdout
    assert "ERROR test_planted.py::test_user" in run.stdout  # the last one: fixtures of the module and garbage are told
    assert "test_planted.py::test_careless left open: <socket.socket" in run.stdout
    assert "fixture careless_fixture (module) left open: <socket.socket" in run.stdout
    assert "test_planted.py left open: ResourceWarning(" in run.stdout
    assert "forgotten" in run.stdout
