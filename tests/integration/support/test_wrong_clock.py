"""What is preloaded into processes whose wall clock is to be wrong."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.running.wrong_clock import wrong_by

_CLOCKS = """
import datetime, threading, time
began = time.monotonic()
threading.Event().wait(0.2)
print(time.time(), datetime.datetime.now(datetime.UTC).timestamp(), time.monotonic(), time.monotonic() - began)
"""


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_the_wall_clock_is_wrong_and_the_monotonic_one_is_right(tmp_path: Path, seconds: int) -> None:
    """And a wait takes as long as it is to."""
    env = {**os.environ, **wrong_by(seconds, tmp_path)}
    printed = subprocess.run([sys.executable, "-c", _CLOCKS], env=env, capture_output=True, check=True, timeout=60)
    wall, date, monotonic, waited = map(float, printed.stdout.split())
    assert wall == pytest.approx(time.time() + seconds, abs=60)
    assert date == pytest.approx(wall, abs=60)
    assert monotonic == pytest.approx(time.monotonic(), abs=60)
    assert waited == pytest.approx(0.2, abs=10)
