"""Each track of a recording by itself, at the rate that speech models want: 16 kHz mono, placed on the session's clock.

One pass over the segments; what a track doesn't have is a hole in a sparse file, so silence costs neither disk nor
memory.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
import soxr

from audio.pcm import SAMPLE_RATE, SPEECH_RATE, Pcm
from audio.plan import BuildPlan, PlannedSegment
from audio.ranges import kept_ranges, merged_ranges
from audio.reading_order import contiguous_runs, epoch_ends, in_reading_order
from audio.segments import RecordKind, SegmentCorrupt, read_segment
from audio.track_tally import TrackLabel, TrackTally


@dataclass(frozen=True, slots=True)
class TrackAudio:
    """One participant's track: int16 samples of shape (n,) at 16 kHz from the session's start on, backed by a file.

    Attributes:
        first_sample: where its audio begins; what is before is silence.
    """

    label: TrackLabel
    samples: Pcm
    first_sample: int


class TrackFiles:
    """Takes the tracks of the room out of a recording's segments; the files have no names and go with `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def extract(self, plan: BuildPlan, read: Callable[[str], bytes]) -> list[TrackAudio]:
        """Every track of somebody in the room that has audio, in the order in which they were first heard.

        `read` is that of `build_recording`: what it lacks is silent here too. Raises OSError when the disk is full.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        cuts = merged_ranges(plan.cuts)
        ends = epoch_ends(plan)
        tally = TrackTally()
        writers: dict[TrackLabel, _TrackWriter] = {}
        for planned in in_reading_order(plan.segments):
            segment_runs = _runs_of(planned, read, tally)
            low, high = max(planned.key.first_sample, 0), min(planned.key.last_sample, ends[planned.key.epoch])
            for label, start_sample, pcm in segment_runs:
                if label.side != "room":
                    continue
                writer = writers.get(label)
                if writer is None:
                    file = self._stack.enter_context(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115
                    writer = writers[label] = _TrackWriter(
                        file, lambda: soxr.ResampleStream(SAMPLE_RATE, SPEECH_RATE, 1, dtype="int16")
                    )
                for start, end in kept_ranges(max(start_sample, low), min(start_sample + len(pcm), high), cuts):
                    writer.write(start, pcm[start - start_sample : end - start_sample])
        return [
            TrackAudio(label, writer.finish(), writer.first_sample)
            for label, writer in writers.items()
            if not writer.is_empty
        ]


def _runs_of(
    planned: PlannedSegment, read: Callable[[str], bytes], tally: TrackTally
) -> list[tuple[TrackLabel, int, Pcm]]:
    """What a segment holds: whose, from where on, samples."""
    try:
        segment = read_segment(read(planned.storage_key))
    except (KeyError, FileNotFoundError, SegmentCorrupt):
        return []
    for record in segment.records:
        if record.kind == RecordKind.TRACK:
            tally.learn(planned.key, record)
    return [
        (tally.label(planned.key, run.track), run.start_sample, np.frombuffer(b"".join(run.payloads), dtype="<i2"))
        for run in contiguous_runs(segment.records)
    ]


class _TrackWriter:
    """Resamples one track; a stretch without a hole goes through one filter, so that segments leave no seams."""

    def __init__(self, file: IO[bytes], new_resampler: Callable[[], Any]) -> None:
        self._file = file
        self._new_resampler = new_resampler
        self._resampler: Any = None
        self._next_sample = -1
        self._written = 0  # samples at 16 kHz, from the session's start on
        self.first_sample = 0

    @property
    def is_empty(self) -> bool:
        return self._next_sample < 0

    def write(self, start_sample: int, pcm: Pcm) -> None:
        if start_sample != self._next_sample:
            self._flush()
            self._resampler = self._new_resampler()
            self._written = max(self._written, round(start_sample * SPEECH_RATE / SAMPLE_RATE))
            if self.is_empty:
                self.first_sample = self._written
        self._append(self._resampler.resample_chunk(pcm))
        self._next_sample = start_sample + len(pcm)

    def finish(self) -> Pcm:
        self._flush()
        self._file.flush()
        if self._written == 0:
            return np.zeros(0, dtype=np.int16)
        os.ftruncate(self._file.fileno(), 2 * self._written)
        return np.memmap(self._file, dtype="<i2", mode="r", shape=(self._written,))

    def _flush(self) -> None:
        if self._resampler is not None:
            self._append(self._resampler.resample_chunk(np.zeros(0, dtype=np.int16), last=True))
            self._resampler = None

    def _append(self, pcm: Pcm) -> None:
        self._file.seek(2 * self._written)
        self._file.write(pcm.astype("<i2", copy=False).tobytes())
        self._written += len(pcm)
