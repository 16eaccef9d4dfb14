"""Takes sealed segments to the object storage, in order, once it is proven that they may be seen."""

import asyncio
from collections import deque
from uuid import UUID

import structlog

from audio.segments import RecordKind, cut_after, read_segment, segment_key
from sessions.ids import format_id
from store.objects import Objects
from store.storage_errors import ObjectExists, StorageError
from worker.session_clock import SessionClock
from worker.spool import SealedSegment

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0


async def upload_segment(
    objects: Objects, session_id: UUID, segment: SealedSegment, end_sample: int | None = None
) -> None:
    """Store a segment without what lies at or after `end_sample`, then delete the file; may be repeated.

    The same file cut at the same place is the same object, so it does not matter who uploads it, or how often.

    Raises:
        StorageError: it is not stored; the file is still there.
    """
    data = await asyncio.to_thread(segment.path.read_bytes)
    key = segment.key
    if end_sample is not None and (key.last_sample > end_sample or not key.has_audio):
        data = cut_after(data, end_sample)
        key = segment_key(data, key.sequence)
        if all(record.kind == RecordKind.TRACK for record in read_segment(data).records):
            await asyncio.to_thread(segment.path.unlink, missing_ok=True)
            return
    await _store(objects, f"spool/{format_id('sess', session_id)}/{key.name}", data)
    await asyncio.to_thread(segment.path.unlink, missing_ok=True)


async def _store(objects: Objects, storage_key: str, data: bytes) -> None:
    """Put a segment and make sure that the storage has it: the spool's copy goes next."""
    try:
        await objects.put_create(storage_key, data)
    except ObjectExists:
        await objects.put_bytes(storage_key, data)  # the key names owner, size and CRC: what is there is torn
    if await objects.head(storage_key) != len(data):
        await objects.delete(storage_key)
        raise StorageError("storage.write_failed", "a segment came out at another size than was written")


class Uploader:
    """The sealed segments of one run.

    A segment goes only after a beat that was *sent* after its last sample has come back: by then it is known whether
    the session was stopped before that sample, and what lies past the stamp is cut off.
    """

    def __init__(self, objects: Objects, session_id: UUID, clock: SessionClock) -> None:
        self._objects = objects
        self._session_id = session_id
        self._clock = clock
        self._waiting: deque[SealedSegment] = deque()
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
        self._waiting.append(segment)
        self._empty.clear()
        self._changed.set()

    def prove(self, sent_ns: int) -> None:
        """A beat that was sent at this instant has come back, and what it said was passed on before."""
        self._proven_sample = max(self._proven_sample, self._clock.sample_at(sent_ns))
        self._changed.set()

    def cut_at(self, end_sample: int) -> None:
        """Nothing from this sample on is uploaded."""
        self._end_sample = end_sample if self._end_sample is None else min(self._end_sample, end_sample)
        self._changed.set()

    def release_all(self) -> None:
        """No beat will come any more (we were replaced): whatever was sealed may go."""
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
        """Upload what may go, when `run` is not running any more."""
        while self._next_may_go():
            await self._upload_next()

    async def _upload_next(self) -> None:
        try:
            await upload_segment(self._objects, self._session_id, self._waiting[0], self._end_sample)
        except (StorageError, OSError) as error:
            _log.warning("segment_upload_failed", error=type(error).__name__, waiting=len(self._waiting))
            await asyncio.sleep(self._pause_seconds)
            self._pause_seconds = min(self._pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
            return
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._waiting.popleft()
        if not self._waiting:
            self._empty.set()

    async def drained(self) -> None:
        """Wait until everything that was added is stored."""
        await self._empty.wait()

    def _next_may_go(self) -> bool:
        if not self._waiting:
            return False
        last_sample = self._waiting[0].key.last_sample
        ended = self._end_sample is not None and self._proven_sample >= self._end_sample
        return self._everything or ended or last_sample <= self._proven_sample
