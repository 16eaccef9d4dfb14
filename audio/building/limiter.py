"""Bringing sums of voices back into int16: a limiter that looks ahead, and touches nothing that fits.

A curve per sample cannot do this: one that leaves everything up to full scale alone can only clip what lies above. So
the gain follows the loudest sum nearby, begins to fall before it comes, and rises after it has passed. A single voice
always fits.

The method, a moving minimum of the needed gain and then a cascade of box filters, is that of G. Luff, "Designing a
straightforward limiter" (signalsmith-audio.co.uk/writing/2022/limiter). It is computed in integers, so every machine
makes the same bytes.
"""

import numpy as np
from numpy.typing import NDArray

from audio.pcm import Pcm

REACH_SAMPLES = 720
"""15 ms: how far before and after a sum that doesn't fit the gain may differ from one."""

_CELL_BITS = 4
_CELL_SAMPLES = 1 << _CELL_BITS  # the gain is found per cell and drawn from cell to cell: a sixteenth of the work
_BOX_CELLS = 16
_HOLD_CELLS = REACH_SAMPLES // _CELL_SAMPLES - _BOX_CELLS - 1  # so it stands still between the peaks of 50 Hz and above
_LOWEST, _HIGHEST = -32_768, 32_767
_GAIN_BITS = 26
_UNITY = 1 << _GAIN_BITS


class Limiter:
    """Limits a stream of sums that comes in blocks of any length; where it is cut makes no difference.

    Channels are limited each by itself. What is given out lies `REACH_SAMPLES` behind what was taken in.
    """

    def __init__(self, num_channels: int) -> None:
        self._sums = np.zeros((num_channels, 0), dtype=np.int32)  # from the beginning of a cell on
        self._given_out = 0  # of self._sums: these are kept for their effect on what follows

    def push(self, sums: NDArray[np.int32]) -> Pcm:
        """Take the next sums, shape (num_channels, n); return the samples that are now known, (num_channels, any)."""
        self._sums = np.concatenate((self._sums, sums), axis=1)
        return self._give_out(self._sums.shape[1] - REACH_SAMPLES)

    def finish(self) -> Pcm:
        """Return the last samples, as if silence followed: as many as were taken and not yet given out."""
        return self._give_out(self._sums.shape[1])

    def _give_out(self, end: int) -> Pcm:
        end = max(end, self._given_out)
        known = limited(self._sums)[:, self._given_out : end]
        keep_from = _cell_start(max(end - REACH_SAMPLES, 0))
        self._sums = self._sums[:, keep_from:].copy()
        self._given_out = end - keep_from
        return known


def limited(sums: NDArray[np.int32]) -> Pcm:
    """Limit sums of shape (num_channels, n), between silence before and after; returns the same shape.

    Every sample farther than `REACH_SAMPLES` from a sum outside of int16 is that sum itself.
    """
    pcm = sums.astype(np.int16)
    if sums.size == 0 or (int(sums.max()) <= _HIGHEST and int(sums.min()) >= _LOWEST):
        return pcm
    for sums_of_channel, pcm_of_channel in zip(sums, pcm, strict=True):
        _turn_down(sums_of_channel, pcm_of_channel)
    return pcm


def _cell_start(sample: int) -> int:
    return sample - sample % _CELL_SAMPLES


def _turn_down(sums: NDArray[np.int32], pcm: Pcm) -> None:
    """Put the sums times their gains into `pcm`; both are of shape (n,)."""
    cells = np.zeros((-(-len(sums) // _CELL_SAMPLES), _CELL_SAMPLES), dtype=np.int32)
    cells.ravel()[: len(sums)] = sums
    near = _cells_near(np.flatnonzero((sums > _HIGHEST) | (sums < _LOWEST)), len(cells))
    columns = cells[near].T.astype(np.int64, order="C")  # numpy is quick along long rows
    # The gain is one at both ends of what is left out between cells, so these may be taken for neighbors.
    gains = _gains(np.maximum(columns.max(axis=0), -1 - columns.min(axis=0)))
    ramp = np.arange(_CELL_SAMPLES)[:, np.newaxis]
    columns *= gains[:-1] * (_CELL_SAMPLES - ramp) + gains[1:] * ramp
    columns += _UNITY * _CELL_SAMPLES // 2
    columns >>= _GAIN_BITS + _CELL_BITS
    cells[near] = columns.T
    pcm[:] = cells.ravel()[: len(sums)]


def _cells_near(samples: NDArray[np.int64], num_cells: int) -> NDArray[np.int64]:
    """The cells within `REACH_SAMPLES` of any of the samples, in order."""
    reach = REACH_SAMPLES // _CELL_SAMPLES
    loud = np.unique(samples // _CELL_SAMPLES)
    covered = np.zeros(num_cells + 1, dtype=np.int64)
    np.add.at(covered, (loud - reach).clip(min=0), 1)
    np.add.at(covered, (loud + reach + 1).clip(max=num_cells), -1)
    return np.flatnonzero(covered.cumsum()[:-1])


def _gains(peaks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The gain at the beginning of each cell and at the end of the last one, shape (cells + 1,), times `_UNITY`.

    `peaks` are the cells' largest sums, negative ones counted from -1 on. The least gain that is needed within the hold
    is smoothed by a triangle that is narrower: a mean of gains that are all low enough for a sample is low enough.
    Two boxes make the triangle, and so a gain that has no kinks.
    """
    reach = _HOLD_CELLS + _BOX_CELLS
    needed = np.full(reach - 1 + len(peaks) + reach, _UNITY, dtype=np.int64)
    loud = np.flatnonzero(peaks > _HIGHEST)
    needed[reach - 1 + loud] = _HIGHEST * _UNITY // (peaks[loud] + 1)
    return _moving_mean(_moving_mean(_moving_minimum(needed, 2 * _HOLD_CELLS + 1)))


def _moving_minimum(values: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """The least of `width` neighbors, shape (n - width + 1,)."""
    covered = 1
    while covered < width:
        step = min(covered, width - covered)
        values = np.minimum(values[:-step], values[step:])
        covered += step
    return values


def _moving_mean(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The mean of `_BOX_CELLS` neighbors, rounded down, shape (n - _BOX_CELLS + 1,)."""
    total = np.concatenate(([0], np.cumsum(values)))
    means: NDArray[np.int64] = (total[_BOX_CELLS:] - total[:-_BOX_CELLS]) // _BOX_CELLS
    return means
