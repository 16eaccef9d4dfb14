"""A folder that others write and delete in while a test looks at it (`Path.rglob` raises when one goes meanwhile)."""

import os
from collections.abc import Iterator
from pathlib import Path


def paths_below(folder: Path) -> Iterator[Path]:
    """Every folder and file below `folder`."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def contents_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below `folder` that is still there when it is its turn, with its bytes."""
    for path in paths_below(folder):
        try:
            if path.is_file():
                yield path, path.read_bytes()
        except FileNotFoundError:
            continue
