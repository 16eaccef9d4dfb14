"""Whoever of the two halves fails, the suite fails; both are run to their end."""

import sys
from pathlib import Path

import pytest

from tools.suite import run


def _says(text: str, code: int) -> list[str]:
    program = f"import os, sys; print({text!r}, os.sched_getscheduler(0) == os.SCHED_IDLE); sys.exit({code})"
    return [sys.executable, "-c", program]


@pytest.mark.parametrize(("untimed", "realtime"), [(0, 0), (0, 1), (5, 0), (2, 1)])
def test_either_half_fails_the_suite(
    untimed: int, realtime: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The exit code, what is printed, and who has to stand back."""
    code = run(_says("patient", untimed), _says("punctual", realtime), tmp_path / "log")

    assert code == int(bool(untimed or realtime))
    assert capfd.readouterr().out.splitlines()[1:] == ["punctual False", "patient True"]
