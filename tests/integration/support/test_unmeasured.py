"""What is measured of a run in which some tests are not."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONFTEST = """
import asyncio

from tests.support.test_run.unmeasured import Unmeasured

asyncio.set_event_loop(None)

def pytest_configure(config):
    config.addinivalue_line("markers", "unmeasured: of the test")
    config.pluginmanager.register(Unmeasured())
"""
REACHED = """
def before():
    return 1

def meanwhile():
    return 2

def afterwards():
    return 3
"""
PLANTED = """
import pytest, reached

def test_before():
    reached.before()

@pytest.mark.unmeasured
def test_meanwhile():
    reached.meanwhile()

def test_afterwards():
    reached.afterwards()
"""


def test_a_test_leaves_no_coverage_and_those_around_it_do(tmp_path: Path) -> None:
    """Of three lines that three tests reach, one is not measured."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "reached.py").write_text(REACHED)
    (tmp_path / "test_planted.py").write_text(PLANTED)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{tmp_path}"
    for arguments in (("run", "--include=reached.py", "-m", "pytest", "-q", "-p", "no:cacheprovider"), ("json", "-q")):
        argv = [sys.executable, "-m", "coverage", *arguments]
        subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True)

    measured = json.loads((tmp_path / "coverage.json").read_text())["files"]["reached.py"]
    assert measured["missing_lines"] == [REACHED.splitlines().index("    return 2") + 1]
