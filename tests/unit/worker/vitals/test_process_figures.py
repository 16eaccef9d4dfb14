"""What a recorder process tells its supervisor, through one small file."""

import os
import time
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import pytest

from worker.vitals.figure_file import FigureFile, forget_the_dead
from worker.vitals.process_figures import ProcessFigures

OWNER = UUID(int=1)


def write(figures: ProcessFigures, data_dir: Path, owner: UUID) -> None:
    """As a recorder process does every second."""
    FigureFile(data_dir, str(owner)).write(asdict(figures))


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    """Each write takes the place of the one before."""
    write(ProcessFigures(1, 24, 0, 0, 3), tmp_path, OWNER)
    write(ProcessFigures(2, 23, 1, 4, 0, 5), tmp_path, OWNER)
    assert ProcessFigures(2, 23, 1, 4, 0, 5) == ProcessFigures.read(tmp_path, OWNER)
    assert [f"{OWNER}.json"] == [path.name for path in (tmp_path / "figures").iterdir()]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sessions_running": "many"}'])
def test_a_file_that_is_damaged_counts_as_none(tmp_path: Path, text: str) -> None:
    """A scrape must not fail for it."""
    assert ProcessFigures.read(tmp_path, OWNER) is None
    write(ProcessFigures(), tmp_path, OWNER)
    (tmp_path / "figures" / f"{OWNER}.json").write_text(text)
    assert ProcessFigures.read(tmp_path, OWNER) is None


def test_files_of_the_dead_are_removed(tmp_path: Path) -> None:
    """A living process writes every second, so a minute is proof enough."""
    write(ProcessFigures(), tmp_path, OWNER)
    write(ProcessFigures(), tmp_path, UUID(int=2))
    long_ago = time.time() - 61
    os.utime(tmp_path / "figures" / f"{OWNER}.json", (long_ago, long_ago))
    forget_the_dead(tmp_path)
    assert ProcessFigures.read(tmp_path, OWNER) is None
    assert ProcessFigures() == ProcessFigures.read(tmp_path, UUID(int=2))
