"""The spool of one run: where its audio is until the object storage has it.

Segments are files of `audio.segments.segments` records, sealed every few seconds; the set of them is the recording.
Folders, and what dead processes left in them, are in `spool_folder`.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TypeVar

from audio.pcm import SAMPLE_RATE
from audio.placing.timeline import Placed
from audio.segments.segments import encode_absence, encode_audio, encode_gap, encode_header, encode_track
from audio.segments.track_tally import TrackLabel
from sessions.ids import format_id
from sessions.texts.kept_text import kept_text
from worker.spool.run_folder import RunFolder
from worker.spool.spool_folder import OPEN_SUFFIX
from worker.spool.spool_writer import SealedSegment, SegmentFile, SpoolWriter

_Told = TypeVar("_Told")


class RunSpool:
    """Takes what one run records, on the event loop; the writer's thread does the system calls.

    `on_sealed(segment)` and `on_failed(code)` are called on the loop; the latter once, with the code that `failure`
    has from then on: `storage.full` or `storage.write_failed`. After a failure no audio is taken any more, and what was
    written is sealed and kept.
    """

    def __init__(
        self,
        writer: SpoolWriter,
        folder: RunFolder,
        *,
        segment_seconds: float,
        on_sealed: Callable[[SealedSegment], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self.failure: str | None = None
        self._writer = writer
        self._folder = folder.path
        self._session_id = format_id("sess", folder.fence.session_id)
        self._epoch = folder.fence.epoch
        self._owner = str(folder.fence.owner)
        self._segment_samples = round(segment_seconds * SAMPLE_RATE)
        self._on_sealed = on_sealed
        self._on_failed = on_failed
        self._loop = asyncio.get_running_loop()
        self._file: SegmentFile | None = None
        self._segment = 0  # the number of the segment that is open
        self._record = 0
        self._started_sample = 0
        self._labels: dict[int, TrackLabel] = {}
        self._labelled: set[int] = set()  # in this segment
        self._dropped: tuple[int, int] | None = None

    @property
    def segments(self) -> int:
        """How many segments were begun; their numbers are 1 to this."""
        return self._segment

    def add_track(self, track: int, label: TrackLabel) -> None:
        """Say who `track` is; every segment that holds any of it says so, too, as PostgreSQL can keep it."""
        self._labels[track] = replace(
            label,
            identity=kept_text(label.identity),
            name=kept_text(label.name),
            sid=kept_text(label.sid),
            speaker=kept_text(label.speaker),
        )

    def audio(self, track: int, placed: Placed) -> None:
        """Append samples of a track."""
        file = self._current(placed.arrival_sample)
        if file is None:
            return
        if track not in self._labelled:
            self._label(file, track)
        end_sample = placed.start_sample + len(placed.pcm)
        data = encode_audio(track, self._next_record(), placed.start_sample, placed.arrival_sample, placed.pcm)
        if not self._writer.append_audio(file, data, placed.start_sample, end_sample):
            first = placed.start_sample if self._dropped is None else min(self._dropped[0], placed.start_sample)
            self._dropped = (first, end_sample)
            return
        self._tell_dropped()

    def gap(
        self, code: str, start_sample: int, end_sample: int, identity: str | None = None, *, lasts: bool = False
    ) -> None:
        """Note that [start, end) holds no true audio, of one participant or of any; tried also after a failure.

        Args:
            lasts: the gap has not ended yet; another one of the same kind, of no length perhaps, says when it has.
        """
        start_sample = max(start_sample, 0)
        if end_sample >= start_sample:
            count = end_sample - start_sample
            kept = None if identity is None else kept_text(identity)
            record = encode_gap(self._next_record(), code, start_sample, count, identity=kept, lasts=lasts)
            self._append_control(record, end_sample)

    def absence(self, start_sample: int, end_sample: int) -> None:
        """Note that nobody was in the room for [start, end); tried also after a failure."""
        start_sample = max(start_sample, 0)
        if end_sample > start_sample:
            record = encode_absence(self._next_record(), start_sample, end_sample - start_sample)
            self._append_control(record, end_sample)

    def rotate(self, now_sample: int) -> None:
        """Seal the open segment if it is old enough; appending does so, too."""
        if self._file is not None and now_sample - self._started_sample >= self._segment_samples:
            self._seal()

    def ripe(self, now_sample: int) -> None:
        """Seal the open segment if it is half as old as it may become: a beat comes that can prove it."""
        if self._file is not None and (now_sample - self._started_sample) * 2 >= self._segment_samples:
            self._seal()

    async def close(self) -> None:
        """Seal what is open and wait until it is on the disk."""
        self._tell_dropped()
        self._seal()
        written: asyncio.Future[None] = self._loop.create_future()
        self._writer.call(lambda: self._tell(_resolve, written))
        await written

    def _append_control(self, record: bytes, now_sample: int) -> None:
        self.rotate(now_sample)
        self._writer.append_control(self._file or self._open(now_sample), record)

    def _current(self, now_sample: int) -> SegmentFile | None:
        if self.failure is not None:
            return None
        self.rotate(now_sample)
        return self._file or self._open(now_sample)

    def _open(self, now_sample: int) -> SegmentFile:
        self._segment += 1
        self._started_sample = now_sample
        self._labelled.clear()
        path = self._folder / f"{self._segment:08d}{OPEN_SUFFIX}"
        self._file = SegmentFile(path, self._epoch, self._owner, self._segment, now_sample)
        header = encode_header(self._session_id, self._epoch, self._owner, max(now_sample, 0))
        self._writer.append_control(self._file, header)
        return self._file

    def _label(self, file: SegmentFile, track: int) -> None:
        record = encode_track(track, self._next_record(), **asdict(self._labels[track]))
        self._writer.append_control(file, record)
        self._labelled.add(track)

    def _tell_dropped(self) -> None:
        dropped, self._dropped = self._dropped, None
        if dropped is not None:
            self.gap("gap.storage", *dropped)

    def _next_record(self) -> int:
        self._record += 1
        return self._record

    def _seal(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._writer.call(lambda: self._seal_in_thread(file))

    def _seal_in_thread(self, file: SegmentFile) -> None:
        try:
            sealed = file.seal()
        except OSError:
            file.error = file.error or "storage.write_failed"
            sealed = None
        if sealed is not None:
            self._tell(self._on_sealed, sealed)
        if file.error is not None:
            self._tell(self._fail, file.error)

    def seal(self) -> None:
        """Seal the open segment however young it is; the next samples open another one."""
        self._tell_dropped()
        self._seal()

    def watch(self) -> None:
        """Ask the writer whether the open segment has failed; the answer comes through `on_failed`."""
        file = self._file
        if file is not None and self.failure is None:
            self._writer.call(lambda: self._report(file))

    def _report(self, file: SegmentFile) -> None:
        if file.error is not None:
            self._tell(self._fail, file.error)

    def _fail(self, code: str) -> None:
        if self.failure is None:
            self.failure = code
            self._seal()
            self._on_failed(code)

    def _tell(self, callback: Callable[[_Told], None], news: _Told) -> None:
        with suppress(RuntimeError):  # the loop is closed, and with it whoever would be told
            self._loop.call_soon_threadsafe(callback, news)


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
