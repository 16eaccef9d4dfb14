"""What a recording looks like from afar, learned while it is built: peaks of the file, levels of its participants.

Both are int8, a byte per cell, so that an hour takes 360 kB per channel and 36 kB per participant.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.levels import FLOOR_DBFS
from audio.pcm import FULL_SCALE, SAMPLE_RATE, Pcm

SAMPLES_PER_PEAK = SAMPLE_RATE // 50
"""20 ms: of each, and of each channel, the lowest and the highest sample are kept."""

SAMPLES_PER_LEVEL = SAMPLE_RATE // 10
"""100 ms: of each, and of each participant, the peak level is kept."""


@dataclass(frozen=True, slots=True)
class Waveform:
    """What the meters have found.

    Attributes:
        peaks: `PeakMeter.finish`.
        levels: `LevelMeter.finish`.
    """

    peaks: bytes
    levels: dict[str, bytes]


class PeakMeter:
    """Takes a file's samples in their order, in blocks of any length."""

    def __init__(self, length_samples: int, num_channels: int) -> None:
        shape = (num_channels, -(-length_samples // SAMPLES_PER_PEAK))
        self._lows = np.full(shape, np.iinfo(np.int16).max, dtype=np.int16)
        self._highs = np.full(shape, np.iinfo(np.int16).min, dtype=np.int16)
        self._position = 0

    def push(self, pcm: Pcm) -> None:
        """The next samples, shape (num_channels, n), n > 0."""
        first, starts = _cells(self._position, pcm.shape[1], SAMPLES_PER_PEAK)
        cells = slice(first, first + len(starts))
        lows, highs = self._lows[:, cells], self._highs[:, cells]
        np.minimum(lows, np.minimum.reduceat(pcm, starts, axis=1), out=lows)
        np.maximum(highs, np.maximum.reduceat(pcm, starts, axis=1), out=highs)
        self._position += pcm.shape[1]

    @property
    def magnitude(self) -> int:
        """The largest magnitude so far, 0 to 32768."""
        if self._position == 0:
            return 0
        return max(int(self._highs.max()), -int(self._lows.min()))

    def finish(self) -> bytes:
        """Of each cell, of each channel: minimum and maximum in 256ths of full scale, as int8.

        The last cell may be a partial one.
        """
        return (np.stack((self._lows, self._highs), axis=2) >> 8).astype(np.int8).transpose(1, 0, 2).tobytes()


class LevelMeter:
    """Takes what each participant said, wherever it lies in the file and in any order."""

    def __init__(self, length_samples: int) -> None:
        self._num_cells = -(-length_samples // SAMPLES_PER_LEVEL)
        self._peaks: dict[str, NDArray[np.int16]] = {}

    def add(self, identity: str, start_sample: int, pcm: Pcm) -> None:
        """Samples of shape (n,), n > 0, from `start_sample` of the file on."""
        peaks = self._peaks.get(identity)
        if peaks is None:
            peaks = self._peaks[identity] = np.zeros(self._num_cells, dtype=np.int16)
        first, starts = _cells(start_sample, len(pcm), SAMPLES_PER_LEVEL)
        magnitudes = np.maximum(np.maximum.reduceat(pcm, starts), ~np.minimum.reduceat(pcm, starts))
        cells = peaks[first : first + len(starts)]
        np.maximum(cells, magnitudes, out=cells)

    def finish(self) -> dict[str, bytes]:
        """Per identity the peak level of each cell in dBFS, rounded, as int8; silence is -96."""
        return {identity: _in_dbfs(peaks).tobytes() for identity, peaks in sorted(self._peaks.items())}


def _cells(position: int, count: int, samples_per_cell: int) -> tuple[int, NDArray[np.int64]]:
    """The first cell that so many samples from `position` on touch, and where in them each cell begins."""
    first = position // samples_per_cell
    starts = np.arange(first * samples_per_cell - position, count, samples_per_cell)
    starts[0] = 0
    return first, starts


def _in_dbfs(peaks: NDArray[np.int16]) -> NDArray[np.int8]:
    levels = np.full(len(peaks), FLOOR_DBFS)
    heard = peaks > 0
    levels[heard] = 20 * np.log10((peaks[heard].astype(np.float64) + 1) / FULL_SCALE)
    rounded: NDArray[np.int8] = np.rint(np.maximum(levels, FLOOR_DBFS)).astype(np.int8)
    return rounded
