"""The file in a run's folder that says what of the run the object storage has taken.

Only the process that uploads knows it, and when that one dies, whoever salvages its folder reads it here. Each segment
is one line of JSON, on the disk before the segment's own file goes.
"""

import json
import os
from pathlib import Path
from typing import Self

import structlog

from audio.segments.segment_key import SegmentKey
from store.runs.run_segments import StoredSegment

JOURNAL = "stored"

_log = structlog.get_logger(__name__)


class StoredJournal:
    """What was stored, in order. Its methods block; one thread at a time."""

    def __init__(self, folder: Path, stored: list[StoredSegment] | None = None) -> None:
        self._path = folder / JOURNAL
        self._stored = stored or []
        self._written = len(self._stored)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The journal that a dead process left; a line that it did not finish is left out."""
        try:
            lines = (folder / JOURNAL).read_text().splitlines()
        except FileNotFoundError:
            return cls(folder)
        stored = []
        for line in lines:
            try:
                segment = StoredSegment.of(json.loads(line))
                SegmentKey.parse(segment.name)
            except (ValueError, TypeError):
                continue  # its segment's file is still there
            stored.append(segment)
        return cls(folder, stored)

    @property
    def stored(self) -> tuple[StoredSegment, ...]:
        """Every segment, once."""
        return tuple({segment.name: segment for segment in self._stored}.values())

    def add(self, segment: StoredSegment) -> None:
        """Note a segment. A disk that is full loses no more than this note, and the next one brings it along."""
        self._stored.append(segment)
        lines = "".join(f"\n{json.dumps(one.document)}\n" for one in self._stored[self._written :])
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                data = memoryview(lines.encode())
                while data:
                    data = data[os.write(fd, data) :]
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            _log.warning("spool.journal_not_written", error=type(error).__name__)
            return
        self._written = len(self._stored)
