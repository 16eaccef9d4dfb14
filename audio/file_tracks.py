"""Finished recordings as tracks at the rate that speech models want, several files side by side."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soundfile
import soxr

from audio.pcm import SPEECH_RATE, Pcm
from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece

_STEP_SECONDS = 1


def read_files(files: Sequence[tuple[TrackLabel, Path]]) -> Iterator[list[TrackPiece]]:
    """Yield a second of every file after the other, as `read_tracks` does of segments.

    Of a file with two channels the first is taken, which has the room. Raises OSError for what is no sound file.
    """
    with ExitStack() as stack:
        readings = [_Reading(label, stack.enter_context(_opened(path))) for label, path in files]
        while pieces := [piece for reading in readings if (piece := reading.next()) is not None]:
            yield pieces


def _opened(path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise OSError(f"a recording cannot be read: {error}") from None


class _Reading:
    """One file."""

    def __init__(self, label: TrackLabel, file: soundfile.SoundFile) -> None:
        self._label = label
        self._file = file
        self._resampler = soxr.ResampleStream(file.samplerate, SPEECH_RATE, 1, dtype="int16")
        self._end = 0
        self._over = False

    def next(self) -> TrackPiece | None:
        if self._over:
            return None
        block = self._file.read(_STEP_SECONDS * self._file.samplerate, dtype="int16", always_2d=True)
        self._over = not len(block)
        samples: Pcm = self._resampler.resample_chunk(np.ascontiguousarray(block[:, 0]), last=self._over)
        piece = TrackPiece(self._label, self._end, samples)
        self._end = piece.end_sample
        return piece
