"""What has been recorded of a session since the last look: from its recorder's spool on this host, and from storage."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from uuid import UUID

from audio.segments.read_back import is_whole
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import SegmentCorrupt, SegmentRecord, header_alone, read_segment
from worker.spool.spool_folder import OPEN_SUFFIX, SEALED_SUFFIX

_MISSING_SECONDS = 20.0  # a segment is sealed, proven and uploaded in less
_SEGMENTS_AT_A_TIME = 4  # of one look: what is read of an hour that was missed must fit into memory


@dataclass(frozen=True, slots=True)
class NewRecords:
    """What was appended to a segment since it was last looked at; `key` names its run and number."""

    key: SegmentKey
    records: tuple[SegmentRecord, ...]


@dataclass(slots=True)
class _Reading:
    """How far one run has been read; its segments are numbered from 1."""

    epoch: int
    owner: str
    number: int = 1
    last_record: int = 0
    header: bytes = b""
    offset: int = 0  # in the segment that is open
    missing_since: float | None = None
    stored: dict[int, tuple[SegmentKey, str]] = field(default_factory=dict)

    def next_segment(self, number: int) -> None:
        self.number, self.header, self.offset, self.missing_since = number, b"", 0, None


class GrowingSegments:
    """Reads each record of a session once, each run's in their order.

    Attributes:
        is_local: whether the last run is recorded on this host.
        wants_stored: whether it can't go on without a fresh list of what is stored.
        is_caught_up: whether the last look read everything that there was.
        lost: whether something is missing, or damaged, that was not waited for any longer.
    """

    def __init__(self, spool: Path, session_id: UUID, from_sample: int = 0) -> None:
        self.is_local = False
        self.wants_stored = True
        self.is_caught_up = False
        self.lost = False
        self._spool = spool
        self._session = str(session_id)
        self._from_sample = from_sample
        self._runs: dict[tuple[int, str], _Reading] = {}

    def note_stored(self, prefix: str, storage_keys: Iterable[str]) -> None:
        """Take the list of what the storage has of the session, below `prefix`."""
        for storage_key in storage_keys:
            with suppress(ValueError):
                key = SegmentKey.parse(storage_key.removeprefix(f"{prefix}/"))
                self._reading(key.epoch, key.owner).stored[key.sequence] = key, storage_key
        self.wants_stored = False

    def read(self, read_stored: Callable[[str], bytes]) -> Iterator[NewRecords]:
        """Yield what is new. Blocking.

        Raises:
            OSError: the storage can't be read now; what was yielded stays read.
        """
        folders = self._local_folders()
        self.is_caught_up = True
        left = _SEGMENTS_AT_A_TIME
        for _, reading in sorted(self._runs.items()):
            names = _numbered(folders.get((reading.epoch, reading.owner)))
            while True:
                found = self._next(reading, names, read_stored)
                if found is None:
                    break
                if found.records:
                    yield found
                if reading.header:  # the open one: that is all for now
                    break
                left -= bool(found.records)
                if left <= 0:
                    self.is_caught_up = False
                    return
        last = max(self._runs, default=None)
        self.is_local = last is not None and last in folders

    def _next(
        self, reading: _Reading, names: dict[int, Path], read_stored: Callable[[str], bytes]
    ) -> NewRecords | None:
        number = reading.number
        path = names.get(number)
        try:
            if path is not None and path.suffix == OPEN_SUFFIX:
                return _read_open(reading, path)
            if path is not None:
                key = SegmentKey.parse(f"{reading.epoch:06d}-{reading.owner}/{path.name}")
                return self._sealed(reading, key, path.read_bytes())
            if number in reading.stored:
                key, storage_key = reading.stored.pop(number)
                if key.last_sample <= self._from_sample:
                    reading.next_segment(key.sequence + 1)
                    return NewRecords(key, ())
                return self._sealed(reading, key, read_stored(storage_key))
        except (FileNotFoundError, ValueError):
            self.wants_stored = True  # it has just been sealed, or stored and removed
        self._miss(reading, [one for one in (*names, *reading.stored) if one > number])
        return None

    def _sealed(self, reading: _Reading, key: SegmentKey, data: bytes) -> NewRecords:
        self.lost |= not is_whole(data, key)
        try:
            records = read_segment(data).records
        except SegmentCorrupt:
            records = []
        reading.next_segment(key.sequence + 1)
        return NewRecords(key, _unread(reading, records))

    def _miss(self, reading: _Reading, later: list[int]) -> None:
        """The next segment is not here: wait for it while there is hope."""
        if not later:
            return
        self.wants_stored = True
        self.is_caught_up = False
        now = monotonic()
        if reading.missing_since is None:
            reading.missing_since = now
        elif now - reading.missing_since > _MISSING_SECONDS:
            self.lost = True
            reading.next_segment(min(later))

    def _local_folders(self) -> dict[tuple[int, str], Path]:
        found = {}
        for folder in self._spool.glob(f"*/{self._session}/*"):
            with suppress(ValueError):
                epoch, owner = int(folder.name), str(UUID(folder.parents[1].name))
                self._reading(epoch, owner)
                found[epoch, owner] = folder
        return found

    def _reading(self, epoch: int, owner: str) -> _Reading:
        return self._runs.setdefault((epoch, owner), _Reading(epoch, owner))


def _numbered(folder: Path | None) -> dict[int, Path]:
    """The segments in a run's folder by their numbers."""
    found: dict[int, Path] = {}
    with suppress(OSError):
        for name in () if folder is None else os.listdir(folder):
            number = name.removesuffix(OPEN_SUFFIX).partition("-")[0]
            if name.endswith((OPEN_SUFFIX, SEALED_SUFFIX)) and number.isdecimal():
                assert folder is not None
                found[int(number)] = folder / name
    return found


def _read_open(reading: _Reading, path: Path) -> NewRecords | None:
    with path.open("rb") as file:
        file.seek(reading.offset)
        data = reading.header + file.read()
    try:
        segment = read_segment(data)
        header = reading.header or header_alone(data)
    except SegmentCorrupt:  # its header is being written
        return None
    reading.offset += segment.valid_bytes - len(reading.header)
    reading.header = header
    key = SegmentKey(reading.epoch, reading.owner, reading.number, 0, 0, 0, 0)
    return NewRecords(key, _unread(reading, segment.records))


def _unread(reading: _Reading, records: Iterable[SegmentRecord]) -> tuple[SegmentRecord, ...]:
    new = tuple(record for record in records if record.sequence > reading.last_record)
    reading.last_record = max((record.sequence for record in new), default=reading.last_record)
    return new
