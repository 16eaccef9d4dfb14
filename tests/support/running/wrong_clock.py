"""Processes whose wall clock is wrong, by a library that is preloaded."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_SOURCE = Path(__file__).with_suffix(".c")


def wrong_by(seconds: int, folder: Path) -> dict[str, Any]:
    """The environment of a process whose wall clock is so many seconds fast, or slow if negative.

    The library is compiled into `folder`. A missing C compiler fails in CI and skips elsewhere.
    """
    library = folder / "wrong_clock.so"
    if not library.exists():
        compiler = shutil.which("cc")
        if compiler is None:
            if os.environ.get("CI"):
                raise FileNotFoundError("cc")
            pytest.skip("NO C COMPILER: apt install gcc libc6-dev")
        command = [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True, timeout=60)
    return {"LD_PRELOAD": str(library), "WRONG_CLOCK_SECONDS": str(seconds)}
