"""Tools of parts with names: which run, where, and what comes of them."""

import argparse
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.named_parts import parts_parser, run_parts

PARTS = {"first": "does one thing", "second-one": "does another"}
ASLEEP = """
import time
from tools.named_parts import exit_with
exit_with(lambda: print("asleep", flush=True) or time.sleep(60))
"""


def _asked(*words: str) -> argparse.Namespace:
    return parts_parser("tools.some", "Does it.", "thing", PARTS, n="so many", seed="of it").parse_args(words)


def test_parts_run_in_the_order_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Each in an empty folder of its own that is gone afterwards; what came of them is put together."""
    folders: list[Path] = []

    async def part(name: str, seed: int, folder: Path) -> list[str]:
        assert list(folder.iterdir()) == []
        (folder / "left").touch()
        folders.append(folder)
        return [f"{name} {seed}"]

    assert run_parts(_asked("second-one", "first", "--seed", "7"), part, about="version 1") == [
        "second-one 7",
        "first 7",
    ]
    assert len(set(folders)) == 2
    assert not any(folder.exists() for folder in folders)
    _, about, seed, *took = capsys.readouterr().out.splitlines()
    assert (about, seed, took) == ("version 1", "seed 7", ["second-one took 0 s", "first took 0 s"])


def test_without_names_all_parts_run() -> None:
    """In the order of the table."""
    assert (_asked().names, _asked().n, _asked().seed) == (list(PARTS), None, None)


def test_a_name_that_no_part_has_is_answered_with_all_names(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of the command line."""
    with pytest.raises(SystemExit) as ended:
        _asked("third")
    assert ended.value.code == 2
    assert "there is no thing third; there are first, second-one" in capsys.readouterr().err


def test_an_interrupted_tool_is_over_at_once() -> None:
    """With the exit code of an interrupted program."""
    with subprocess.Popen([sys.executable, "-c", ASLEEP], stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdout is not None
        assert tool.stdout.readline() == "asleep\n"
        tool.send_signal(signal.SIGINT)
        assert tool.wait(20) == 130
