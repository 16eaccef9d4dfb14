"""Files of a local object storage: a power cut leaves the whole file or none; two processes may remove the same ones.

obstore's local store never calls fsync (strace), so writing is done here. Unfinished files are named as
obstore names its own (`name#1`), because obstore leaves such names out of lists.
Every function blocks; folders are 0700, as recordings hold voices in clear.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

_BLOCK_BYTES = 4 << 20


def make_folder(path: Path) -> None:
    """The folder and its missing parents, each 0700 and on disk."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:  # another process was faster
            continue
        sync_folder(folder.parent)


def write_file(path: Path, blocks: Iterable[bytes], *, create_only: bool) -> None:
    """Write `blocks` to `path`, whole or not at all.

    Raises:
        FileExistsError: `create_only`, and there is one.
        OSError: the disk is full or broken; no part of the file is left.
    """
    make_folder(path.parent)
    part = path.with_name(f"{path.name}#{uuid4().int}")
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb", buffering=0) as file:
            for block in blocks:
                view = memoryview(block)
                while view:
                    view = view[file.write(view) :]
            os.fsync(file.fileno())
        if create_only:
            os.link(part, path)
        else:
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it. Files that are gone already, or go meanwhile, are no error.

    Raises:
        OSError: something is still there: the first error, after everything else was removed.
    """
    errors: list[OSError] = []

    def keep(_function: Callable[..., Any], _path: str, caught: Any) -> None:
        if not isinstance(caught[1], FileNotFoundError):
            errors.append(caught[1])

    shutil.rmtree(path, onerror=keep)
    if errors:
        raise errors[0]


def blocks_of(path: Path) -> Iterable[bytes]:
    """The content of a file, 4 MiB at a time."""
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def sync_folder(path: Path) -> None:
    """fsync a folder: names in it survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
