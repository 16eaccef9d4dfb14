"""The one thread of a process that writes spools.

It takes work from a bounded queue. Audio is refused when the queue is full, which is counted; control never is.
Appended bytes reach the kernel within 20 ms, so that a kill -9 loses hardly more than the frame that is on its way.
"""

import errno
import os
import threading
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from audio.segments.segment_key import SegmentKey

WRITE_SECONDS = 0.02  # what is appended meanwhile is written with it
_QUEUE_BYTES = 64 << 20
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment file whose bytes are on the disk and final."""

    path: Path
    key: SegmentKey


class SegmentFile:
    """The file that one run is writing. Only the writer's thread touches it."""

    def __init__(self, path: Path, epoch: int, owner: str, sequence: int, created_sample: int) -> None:
        self.path = path
        self.error: str | None = None
        self._key = (epoch, owner, sequence)
        self._created_sample = max(created_sample, 0)
        self._fd = -1
        self._crc32 = 0
        self._size_bytes = 0
        self._span: tuple[int, int] | None = None

    def write(self, data: bytes, spans: list[tuple[int, int]]) -> None:
        """Append whole records; after an error nothing is appended, and what is there stays whole."""
        if self.error is not None:
            return
        try:
            if self._fd < 0:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            self.error = "storage.full" if error.errno in DISK_FULL else "storage.write_failed"
            if self._fd >= 0:
                os.ftruncate(self._fd, self._size_bytes)
            return
        self._size_bytes += len(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        for first, last in spans:
            known = self._span or (first, last)
            self._span = (min(known[0], first), max(known[1], last))

    def seal(self) -> SealedSegment | None:
        """Make the file final under its name; None if it was never begun.

        Raises:
            OSError: the disk refused; the file stays as it is, for salvage.
        """
        if self._fd < 0:
            return None
        fd, self._fd = self._fd, -1
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        first, last = self._span or (self._created_sample, self._created_sample)
        epoch, owner, sequence = self._key
        key = SegmentKey(epoch, owner, sequence, max(first, 0), max(last, 0), self._crc32, self._size_bytes)
        return SealedSegment(put_in_place(self.path, key), key)


def put_in_place(path: Path, key: SegmentKey) -> Path:
    """Give a segment file whose bytes are synced its final name, and sync that too."""
    final = path.with_name(key.name.rpartition("/")[2])
    os.rename(path, final)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return final


@dataclass(frozen=True, slots=True)
class _Append:
    file: SegmentFile
    data: bytes
    span: tuple[int, int] | None


class SpoolWriter:
    """The thread. Enter it once per process; leaving it writes what is queued and ends it."""

    def __init__(self, *, queue_bytes: int = _QUEUE_BYTES, write_seconds: float = WRITE_SECONDS) -> None:
        self.dropped_records = 0
        self._limit = queue_bytes
        self._write_seconds = write_seconds
        self._lock = threading.Lock()
        self._queue: deque[_Append | Callable[[], None]] = deque()
        self._queued_bytes = 0
        self._has_work = threading.Event()
        self._hurry = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._hurry.set()
        self._has_work.set()
        self._thread.join()

    def append_audio(self, file: SegmentFile, data: bytes, first_sample: int, last_sample: int) -> bool:
        """Queue whole records of samples [first, last); False, and counted, when the queue is full."""
        with self._lock:
            if self._queued_bytes + len(data) > self._limit:
                self.dropped_records += 1
                return False
            self._queued_bytes += len(data)
            self._queue.append(_Append(file, data, (first_sample, last_sample)))
        self._has_work.set()
        return True

    def append_control(self, file: SegmentFile, data: bytes) -> None:
        """Queue a header, a track's label or a gap."""
        with self._lock:
            self._queued_bytes += len(data)
            self._queue.append(_Append(file, data, None))
        self._has_work.set()

    def call(self, action: Callable[[], None]) -> None:
        """Run `action` in the thread, after everything queued before it; it must not raise."""
        with self._lock:
            self._queue.append(action)
        self._hurry.set()
        self._has_work.set()

    def flush(self, *, timeout_seconds: float) -> None:
        """Wait, in any other thread, until what is queued has been handed to the kernel."""
        done = threading.Event()
        self.call(done.set)
        done.wait(timeout_seconds)

    def _run(self) -> None:
        while True:
            stopping = self._stopping
            if not stopping:
                self._has_work.wait()
                self._hurry.wait(self._write_seconds)
            self._has_work.clear()
            self._hurry.clear()
            with self._lock:
                work, self._queue = self._queue, deque()
                self._queued_bytes = 0
            self._do(work)
            if stopping and not work:
                return

    def _do(self, work: "deque[_Append | Callable[[], None]]") -> None:
        pending: dict[SegmentFile, list[_Append]] = {}
        for item in work:
            if isinstance(item, _Append):
                pending.setdefault(item.file, []).append(item)
                continue
            self._write(pending)
            item()
        self._write(pending)

    def _write(self, pending: dict[SegmentFile, list[_Append]]) -> None:
        for file, appends in pending.items():
            data = b"".join(append.data for append in appends)
            spans = [append.span for append in appends if append.span is not None]
            file.write(data, spans)
        pending.clear()
