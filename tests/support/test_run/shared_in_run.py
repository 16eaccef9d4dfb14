"""Something that all pytest processes of a run share: the first of them makes it, the last one removes it."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def shared_in_run(folder: Path, name: str, *, make: Callable[[], None], remove: Callable[[], None]) -> Iterator[None]:
    """Made before the block, by whoever comes first; removed after the block of whoever leaves last.

    A process that is killed lets go, too. `make` and `remove` run alone; when `make` raises, the next one tries it.

    Args:
        folder: of the run, the same one in all processes.
        name: of what is shared; two files of `folder` are called after it.
    """
    users = folder / f"{name}.users"
    with users.open("w") as use:
        with _alone(folder / f"{name}.lock"):
            with suppress(BlockingIOError):
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                make()
            fcntl.flock(use, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with _alone(folder / f"{name}.lock"), suppress(BlockingIOError):
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
