"""A folder in memory for what a run writes and nobody needs afterwards, such as its databases.

It is gone after the run. A run that is killed removes nothing; the next one does, for a folder belongs to those who
hold its lock, and is rubbish once nobody does.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from parley.servers.postgres_folder import lock_within

MEMORY = Path("/dev/shm")
LEAST_FREE_BYTES = 4 << 30
LOCK_OF_A_SERVER = "alive.lock"  # a PostgreSQL and its backends hold that in the folder of each
_PREFIX = "parley-test-"  # short, as socket paths are limited
_SERVER_SECONDS = 5.0  # of a server whose users are gone, to end


def has_room(parent: Path = MEMORY) -> bool:
    """Whether there is such memory, and enough of it."""
    with suppress(OSError):
        return min(shutil.disk_usage(parent).free, psutil.virtual_memory().available) >= LEAST_FREE_BYTES
    return False


@contextmanager
def memory_folder(parent: Path = MEMORY) -> Iterator[Path]:
    """A new 0700 folder; it and those of dead runs are gone after the block."""
    sweep(parent)
    try:
        with ExitStack() as held:
            yield _new_folder(parent, held)
    finally:
        sweep(parent)


def _new_folder(parent: Path, held: ExitStack) -> Path:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        with suppress(FileNotFoundError):  # somebody swept before it was held
            held.enter_context(held_in_memory(folder))
            return folder


@contextmanager
def held_in_memory(folder: Path) -> Iterator[None]:
    """It is another process's, and stays as long as this block.

    Raises:
        FileNotFoundError: it is gone.
    """
    lock = _opened(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if os.fstat(lock).st_nlink == 0:
            raise FileNotFoundError(folder)
        yield
    finally:
        os.close(lock)


def sweep(parent: Path = MEMORY) -> None:
    """Remove what nobody holds any more of what runs of this user have made in `parent`."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else sweeps, too, or it is somebody else's
            _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    lock = _opened(folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _servers_end(folder):
            _kill_servers(folder)  # frozen ones, whose test was killed
            _servers_end(folder)
        shutil.rmtree(folder)
    finally:
        os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _servers_end(folder: Path) -> bool:
    """Wait for those that nobody uses any more; whether all have ended."""
    deadline = time.monotonic() + _SERVER_SECONDS
    for path in folder.glob(f"*/{LOCK_OF_A_SERVER}"):
        with path.open() as server:
            if not lock_within(server.fileno(), fcntl.LOCK_EX, deadline):
                return False
    return True


def _kill_servers(folder: Path) -> None:
    """They and their backends work in a folder of it."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                process.kill()
