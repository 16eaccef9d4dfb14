"""The folder of a process's spool, and the folders that dead processes left.

    {data_dir}/spool/{owner}/lock                           flock held for the life of the process
    {data_dir}/spool/{owner}/{session}/{epoch}/*.open       the segment being written
    {data_dir}/spool/{owner}/{session}/{epoch}/*.seg        sealed segments, named after `audio.segments.segment_key`
    {data_dir}/spool/{owner}/{session}/{epoch}/stored       what the object storage has already (`stored_journal`)

A free lock proves the owner's death: `abandoned_spools` finds such folders, takes the lock and gives what is left.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from audio.segments.segment_key import SegmentKey
from audio.segments.segments import SegmentCorrupt, read_segment, segment_key
from worker.spool.spool_writer import SealedSegment, put_in_place
from worker.spool.stored_journal import JOURNAL

OPEN_SUFFIX = ".open"
CUT_SUFFIX = ".cut"  # a segment that a pause is being erased from
_LOCK = "lock"
SEALED_SUFFIX = ".seg"
_NEW = ".new-"


@contextmanager
def open_spool_folder(data_dir: Path, owner: UUID) -> Iterator[Path]:
    """This process's folder, its lock held until the block ends; removed then if nothing is left in it."""
    root = data_dir / "spool"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = root / f"{_NEW}{owner}"
    new.mkdir(mode=0o700, exist_ok=True)
    with (new / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = new.rename(root / str(owner))  # others see it from here on, and it is locked already
        yield folder
        _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> bool:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            with suppress(OSError):
                path.rmdir()
    if any(path.name != _LOCK for path in folder.iterdir()):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def remove_run_folder(folder: Path) -> None:
    """Remove a run's folder, and its session's, if no segment is left in it."""
    if any(path.name != JOURNAL for path in folder.glob("*")):
        return
    with suppress(OSError):
        (folder / JOURNAL).unlink(missing_ok=True)
        folder.rmdir()
        folder.parent.rmdir()


@dataclass(frozen=True, slots=True)
class AbandonedRun:
    """What a dead process left of one run."""

    session_id: UUID
    epoch: int
    owner: UUID
    folder: Path

    def recover(self) -> list[SealedSegment]:
        """Every segment, in order; the one that was open is sealed first, without its torn tail."""
        for path in self.folder.glob(f"*{CUT_SUFFIX}"):
            path.unlink()  # the segment that it was made from is still there
        for path in sorted(self.folder.glob(f"*{OPEN_SUFFIX}")):
            self._seal_open(path)
        found = []
        for path in sorted(self.folder.glob(f"*{SEALED_SUFFIX}")):
            with suppress(ValueError):
                found.append(SealedSegment(path, SegmentKey.parse(f"{self.epoch:06d}-{self.owner}/{path.name}")))
        return found

    def _seal_open(self, path: Path) -> None:
        data = path.read_bytes()
        try:
            segment = read_segment(data)
        except SegmentCorrupt:
            path.unlink()  # killed before the header was written: nothing was recorded
            return
        good = data[: segment.valid_bytes]
        key = segment_key(good, int(path.stem))
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.ftruncate(fd, len(good))
            os.fsync(fd)
        finally:
            os.close(fd)
        put_in_place(path, key)

    def remove_if_empty(self) -> None:
        """Remove the folder once everything in it was uploaded (and so deleted) and the run is sealed."""
        remove_run_folder(self.folder)


@dataclass(frozen=True, slots=True)
class AbandonedSpool:
    """The folder of a dead process, its lock held by us."""

    owner: UUID
    folder: Path

    def runs(self) -> list[AbandonedRun]:
        """The runs that left something, empty folders included (their run is still to be sealed)."""
        found = []
        for folder in sorted(self.folder.glob("*/*")):
            with suppress(ValueError):
                found.append(AbandonedRun(UUID(folder.parent.name), int(folder.name), self.owner, folder))
        return found

    def remove_if_empty(self) -> bool:
        """Remove the folder when nothing is left in it; whether it is gone."""
        return _remove_if_empty(self.folder)


def abandoned_spools(data_dir: Path) -> Iterator[AbandonedSpool]:
    """Every folder whose lock is free; the lock is held while the caller looks at it."""
    root = data_dir / "spool"
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        name = folder.name.removeprefix(_NEW)
        try:
            owner = UUID(name)
            lock = (folder / _LOCK).open("r+")
        except (ValueError, OSError):
            continue
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield AbandonedSpool(owner, folder)
