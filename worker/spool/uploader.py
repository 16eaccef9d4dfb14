"""Takes sealed segments to the object storage, in order, once it is proven that they may be seen."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from audio.ranges import Range, merged_ranges
from audio.segments.segments import RecordKind, SegmentCorrupt, SegmentKey, read_segment
from sessions.errors import DatabaseError
from sessions.ids import format_id
from store.database.boot_clock import SECOND_NS
from store.installation.storage_identity import Confirm
from store.lifecycle.pauses import COMMIT_SECONDS
from store.objects.errors import ObjectExists, StorageError
from store.objects.objects import Objects
from store.runs.run_segments import StoredSegment
from worker.clock.pause_ranges import overlaps
from worker.clock.session_clock import SessionClock
from worker.spool.segment_cutting import cut_segment, rewrite_segment
from worker.spool.spool_writer import SealedSegment
from worker.spool.stored_journal import StoredJournal

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_COMMIT_NS = round(COMMIT_SECONDS * SECOND_NS)


async def upload_segment(
    objects: Objects,
    confirm: Confirm,
    session_id: UUID,
    segment: SealedSegment,
    journal: StoredJournal,
    end_sample: int | None = None,
    cuts: Sequence[Range] = (),
) -> None:
    """Store a segment without what lies at or after `end_sample` or in a cut, then delete the file; may be repeated.

    Raises:
        StorageError, DatabaseError: it is not stored; the file is still there.
    """
    data, key = cut_segment(await asyncio.to_thread(segment.path.read_bytes), segment.key, end_sample, cuts)
    await store_segment(objects, confirm, session_id, data, key)
    await asyncio.to_thread(_let_go, segment, journal, data, key)


def _let_go(segment: SealedSegment, journal: StoredJournal, data: bytes, key: SegmentKey) -> None:
    journal.add(_note_of(key, data))
    segment.path.unlink(missing_ok=True)


def _note_of(key: SegmentKey, data: bytes) -> StoredSegment:
    try:
        records = read_segment(data).records
    except SegmentCorrupt:
        return StoredSegment(key.name)  # the disk damaged it; the build will find nothing in it and says so
    return StoredSegment(
        key.name,
        tuple(
            (record.document["code"], record.start_sample, record.end_sample, record.document.get("identity"))
            for record in records
            if record.kind == RecordKind.GAP and record.num_samples
        ),
        merged_ranges(
            (record.start_sample, record.end_sample) for record in records if record.kind == RecordKind.ABSENCE
        ),
    )


async def store_segment(objects: Objects, confirm: Confirm, session_id: UUID, data: bytes, key: SegmentKey) -> None:
    """Put a segment where finalizing looks for it, and check that our storage has it: then the file may go.

    Raises:
        StorageError, DatabaseError: it is not stored.
    """
    await confirm()
    storage_key = f"spool/{format_id('sess', session_id)}/{key.name}"
    try:
        await objects.put_create(storage_key, data)
    except ObjectExists:
        await objects.put_bytes(storage_key, data)  # its key names size and CRC: it is the same, or torn
    if await objects.head(storage_key) != len(data):
        await objects.delete(storage_key)
        raise StorageError("storage.write_failed", "a segment came out at another size than was written")
    await confirm()  # the storage may have been replaced meanwhile


@dataclass(slots=True)
class _Waiting:
    """A segment on the disk."""

    segment: SealedSegment
    under_way: bool = False


class Uploader:
    """The sealed segments of one run.

    A segment goes only after a beat has come back that was *sent* `COMMIT_SECONDS` after its last sample: by then it
    is known whether the session was stopped or paused before that sample, and what lies past the stamp is cut off.
    What lies in a pause is erased from the files that wait, too. `journal` is the one of the run's folder.
    """

    def __init__(
        self, objects: Objects, confirm: Confirm, session_id: UUID, clock: SessionClock, journal: StoredJournal
    ) -> None:
        self.journal = journal
        self._objects = objects
        self._confirm = confirm
        self._session_id = session_id
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._cuts: tuple[Range, ...] = ()
        self._uncut = asyncio.Event()
        self._files = asyncio.Lock()
        self._turn = asyncio.Lock()  # one segment at a time, whoever asks for it
        self._proven_sample = -1
        self._end_sample: int | None = None
        self._everything = False
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def waiting(self) -> int:
        """Segments that are not stored yet."""
        return len(self._waiting)

    def add(self, segment: SealedSegment) -> None:
        """Take a segment that was just sealed."""
        self._waiting.append(_Waiting(segment))
        self._uncut.set()
        self._empty.clear()
        self._changed.set()

    def prove(self, sent_ns: int) -> None:
        """A beat that was sent at `sent_ns` has come back; whatever it said was passed on before this call."""
        self._proven_sample = max(self._proven_sample, self._clock.sample_at(sent_ns - _COMMIT_NS))
        self._changed.set()

    def cut_at(self, end_sample: int) -> None:
        """Upload nothing from this sample on."""
        self._end_sample = end_sample if self._end_sample is None else min(self._end_sample, end_sample)
        self._changed.set()

    def leave_out(self, cuts: tuple[Range, ...]) -> None:
        """Upload nothing of these stretches, and erase them on the disk."""
        if cuts != self._cuts:
            self._cuts = cuts
            self._uncut.set()
            self._changed.set()

    async def erase_pauses(self) -> None:
        """Keep the waiting files free of pauses, until canceled."""
        while True:
            await self._uncut.wait()
            self._uncut.clear()
            for waiting in list(self._waiting):
                await self._erase(waiting)

    async def _erase(self, waiting: _Waiting) -> None:
        async with self._files:
            segment = waiting.segment
            if waiting.under_way:
                return
            if not overlaps(segment.key.first_sample, segment.key.last_sample, self._cuts):
                return
            try:
                waiting.segment = await asyncio.to_thread(rewrite_segment, segment, self._cuts)
            except OSError as error:
                _log.error("pause.not_erased", error=type(error).__name__)  # the upload leaves it out

    def release_all(self) -> None:
        """Upload whatever was sealed: no further beat will prove anything."""
        self._everything = True
        self._changed.set()

    async def run(self) -> None:
        """Upload until canceled; a storage that is away is tried again and again."""
        while True:
            while not self._next_may_go():
                self._changed.clear()
                await self._changed.wait()
            await self._upload_next()

    async def flush(self) -> None:
        """Upload what may go."""
        while self._next_may_go():
            await self._upload_next()

    async def _upload_next(self) -> None:
        async with self._turn:
            if not self._next_may_go():
                return
            try:
                await self._upload(self._waiting[0])
            except (StorageError, DatabaseError, OSError) as error:
                _log.warning("segment.upload_failed", error=type(error).__name__, waiting=len(self._waiting))
                await asyncio.sleep(self._pause_seconds)
                self._pause_seconds = min(self._pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
                return
            self._pause_seconds = _FIRST_PAUSE_SECONDS
            self._waiting.popleft()
            if not self._waiting:
                self._empty.set()

    async def _upload(self, waiting: _Waiting) -> None:
        async with self._files:
            segment = waiting.segment
            waiting.under_way = True
            data = await asyncio.to_thread(segment.path.read_bytes)
            data, key = cut_segment(data, segment.key, self._end_sample, self._cuts)
        try:
            await store_segment(self._objects, self._confirm, self._session_id, data, key)
            await asyncio.to_thread(_let_go, segment, self.journal, data, key)
        finally:
            waiting.under_way = False

    async def drained(self) -> None:
        """Upload what may go, beside `run` or without it, and wait until everything that was added is stored."""
        await self.flush()
        await self._empty.wait()

    def _next_may_go(self) -> bool:
        if not self._waiting:
            return False
        last_sample = self._waiting[0].segment.key.last_sample
        ended = self._end_sample is not None and self._proven_sample >= self._end_sample
        return self._everything or ended or last_sample <= self._proven_sample
