"""How loud a recording is: integrated loudness and true peak after ITU-R BS.1770-4, in one pass and constant memory.

The K-weighting is a recursive filter of four states. It is computed in blocks: what a block's own samples cause is a
product of matrices, and what the states before it cause is added; the states themselves are a prefix sum. numpy does
that three hundred times faster than it could go from sample to sample.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from audio.pcm import FULL_SCALE, SAMPLE_RATE, Pcm

HOP_SAMPLES = SAMPLE_RATE // 10
_HOPS_PER_BLOCK = 4  # a gating block is 400 ms, and they overlap by three quarters
_AT_ONCE_SAMPLES = 10 * HOP_SAMPLES
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET_LU = -0.691
_BIN_LU = 0.01
_LOUDEST_LUFS = 10.0
_BINS = round((_LOUDEST_LUFS - _ABSOLUTE_GATE_LUFS) / _BIN_LU)

# BS.1770-4, tables 1 and 2, at 48 kHz: (b, a) of the head's shelf and of the high pass.
_STAGES = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)
# BS.1770-4, annex 2: the four phases of the filter that interpolates to 192 kHz. Two are the others backwards.
_OUTER = "0.001708984375 0.010986328125 -0.0196533203125 0.033203125 -0.0594482421875 0.1373291015625 \
    0.97216796875 -0.102294921875 0.047607421875 -0.026611328125 0.014892578125 -0.00830078125"
_INNER = "-0.0291748046875 0.029296875 -0.0517578125 0.089111328125 -0.16650390625 0.465087890625 \
    0.77978515625 -0.2003173828125 0.1015625 -0.0582275390625 0.0330810546875 -0.0189208984375"
_INTERPOLATION = np.array([[float(tap) for tap in phase.split()] for phase in (_OUTER, _INNER)])
_INTERPOLATION = np.concatenate((_INTERPOLATION, _INTERPOLATION[::-1, ::-1])).T
_TAPS = len(_INTERPOLATION)
_MOST_OVERSHOOT = float(np.abs(_INTERPOLATION).sum(axis=0).max())
_WORTH_A_LOOK = 1.006  # 0.05 dB, half of what is told

_BLOCK_SAMPLES = 64  # of the filter: HOP_SAMPLES is a multiple
_SHORT_BLOCK_SAMPLES = 16  # of the interpolation, which reaches less far
_SILENT_STATE = 1e-9  # int16 steps: what rings on below it is nothing
_RINGING_SAMPLES = SAMPLE_RATE  # 1 s: the high pass has forgotten everything (e^-240), and no gating block reaches back
_GATE_ENERGY = 10 ** ((_ABSOLUTE_GATE_LUFS - _OFFSET_LU) / 10)


@dataclass(frozen=True, slots=True)
class Loudness:
    """`integrated_lufs` is None where nothing is above the absolute gate, `true_peak_dbtp` where all is silent."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None


class _BlockFilter:
    """The K-weighting of blocks of `_BLOCK_SAMPLES`, as matrices.

    Attributes:
        order: how many states there are.
        direct: (samples, samples): what a block's samples are turned into if nothing was before.
        to_state: (samples, order): what they leave in the states.
        from_state: (order, samples): what the states before the block add to it.
        step: (order, order): what becomes of the states along a block.
    """

    def __init__(self) -> None:
        a, b, c, d = _in_series(*(_state_space(*stage) for stage in _STAGES))
        self.order = len(a)
        powers = [np.eye(self.order)]
        for _ in range(_BLOCK_SAMPLES):
            powers.append(a @ powers[-1])
        response = [d, *(float(c @ power @ b) for power in powers[: _BLOCK_SAMPLES - 1])]
        lags = np.arange(_BLOCK_SAMPLES)[np.newaxis, :] - np.arange(_BLOCK_SAMPLES)[:, np.newaxis]
        self.direct = np.where(lags >= 0, np.array(response)[lags.clip(min=0)], 0.0).astype(np.float32)
        self.to_state = np.array([power @ b for power in powers[_BLOCK_SAMPLES - 1 :: -1]])
        self.from_state = np.array([c @ power for power in powers[:_BLOCK_SAMPLES]]).T
        self.step = powers[_BLOCK_SAMPLES].T

    def energies(self, samples: Pcm, state: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean square of each hop, full scale being one. `samples` are whole hops; `state`, (order,), moves on."""
        blocks = samples.reshape(-1, _BLOCK_SAMPLES)
        states = blocks @ self.to_state
        states = np.concatenate((state[np.newaxis], states))
        ahead, step = 1, self.step
        while ahead < len(states):  # a prefix sum, in as many steps as the count has binary digits
            states[ahead:] += states[:-ahead] @ step
            ahead, step = 2 * ahead, step @ step
        weighted = blocks.astype(np.float32) @ self.direct
        weighted += (states[:-1] @ self.from_state).astype(np.float32)
        state[:] = states[-1]
        hops = weighted.reshape(-1, HOP_SAMPLES)
        mean_squares: NDArray[np.float64] = np.einsum("ij,ij->i", hops, hops).astype(np.float64)
        return mean_squares / (HOP_SAMPLES * FULL_SCALE**2)


@dataclass(frozen=True, slots=True)
class FoldedLoudness:
    """All that a meter tells loudness from: the bins of its gating blocks that hold some, what they hold, its peak."""

    bins: NDArray[np.int16]
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    true_peak: float

    @classmethod
    def together(cls, several: Iterable["FoldedLoudness"]) -> "FoldedLoudness":
        """One source that is heard in several, one after the other: all of their gating blocks, the highest peak."""
        counts, sums, true_peak = np.zeros(_BINS, dtype=np.int64), np.zeros(_BINS), 0.0
        for one in several:
            counts[one.bins] += one.counts
            sums[one.bins] += one.sums
            true_peak = max(true_peak, one.true_peak)
        return cls.of_bins(counts, sums, true_peak)

    @classmethod
    def of_bins(cls, counts: NDArray[np.int64], sums: NDArray[np.float64], true_peak: float) -> "FoldedLoudness":
        """Of all bins, shape (_BINS,), those that hold some."""
        bins = np.flatnonzero(counts).astype(np.int16)
        return cls(bins, counts[bins], sums[bins], true_peak)

    def loudness(self) -> Loudness:
        """What they say."""
        peak = None if self.true_peak == 0 else round(20 * math.log10(self.true_peak / FULL_SCALE), 1)
        return Loudness(self._integrated(), peak)

    def _integrated(self) -> float | None:
        if not len(self.bins):
            return None
        gate = _lufs(self.sums.sum() / self.counts.sum()) + _RELATIVE_GATE_LU
        first = min(max(math.ceil((gate - _ABSOLUTE_GATE_LUFS) / _BIN_LU), 0), int(self.bins[-1]))
        passed = self.bins >= first
        return round(_lufs(self.sums[passed].sum() / self.counts[passed].sum()), 1)


class LoudnessMeter:
    """Takes the samples of one source in their order, in blocks of any length. Channels count alike (left, right)."""

    def __init__(self, num_channels: int, folded: FoldedLoudness | None = None) -> None:
        self._rest = np.zeros((num_channels, 0), dtype=np.int16)
        self._states = np.zeros((num_channels, _FILTER.order))
        self._hops = np.zeros(0)  # energies of the last three
        self._counts = np.zeros(_BINS, dtype=np.int64)
        self._sums = np.zeros(_BINS)
        self._tails = np.zeros((num_channels, _TAPS - 1), dtype=np.int16)
        self._true_peak = 0.0
        if folded is not None:
            self._hops = np.zeros(_HOPS_PER_BLOCK - 1)
            self._counts[folded.bins], self._sums[folded.bins] = folded.counts, folded.sums
            self._true_peak = folded.true_peak

    def push(self, pcm: Pcm) -> None:
        """The next samples, shape (num_channels, n)."""
        if self._rest.shape[1]:
            pcm = np.concatenate((self._rest, pcm), axis=1)
        whole = pcm.shape[1] - pcm.shape[1] % HOP_SAMPLES
        for start in range(0, whole, _AT_ONCE_SAMPLES):
            self._take(pcm[:, start : min(start + _AT_ONCE_SAMPLES, whole)])
        self._rest = pcm[:, whole:].copy()

    def push_silence(self, samples: int) -> None:
        """As many zeros. Of a long silence the beginning is computed, in which the filters ring; whole hops are not.

        What is left out has no energy and lies in gating blocks that have none, so it makes no difference.
        """
        computed = samples
        if samples > _RINGING_SAMPLES:
            computed = _RINGING_SAMPLES + (samples - _RINGING_SAMPLES) % HOP_SAMPLES
        self.push(np.zeros((len(self._rest), computed), dtype=np.int16))

    def fold(self) -> FoldedLoudness:
        """What is left to keep of a source that is silent: nothing rings on, and whole hops were pushed.

        `LoudnessMeter(1, folded)` goes on from there, as if it had never been away.
        """
        return FoldedLoudness.of_bins(self._counts, self._sums, self._true_peak)

    def finish(self) -> FoldedLoudness:
        """All that was found; a last stretch of less than a gating block's hop counts for the peak only."""
        self._seek_peak(np.concatenate((self._rest, np.zeros_like(self._tails)), axis=1))
        return self.fold()

    def _take(self, pcm: Pcm) -> None:
        """Whole hops."""
        self._seek_peak(pcm)
        if not pcm.any() and np.abs(self._states).max() < _SILENT_STATE:
            self._states[:] = 0
            energies = np.zeros(pcm.shape[1] // HOP_SAMPLES)
        else:
            channels = [_FILTER.energies(channel, self._states[index]) for index, channel in enumerate(pcm)]
            energies = np.sum(channels, axis=0)
        self._gate(energies)

    def _gate(self, energies: NDArray[np.float64]) -> None:
        hops = np.concatenate((self._hops, energies))
        self._hops = hops[-(_HOPS_PER_BLOCK - 1) :]
        if len(hops) < _HOPS_PER_BLOCK:
            return
        blocks = sliding_window_view(hops, _HOPS_PER_BLOCK).mean(axis=1)
        blocks = blocks[blocks > _GATE_ENERGY]
        bins = ((_OFFSET_LU + 10 * np.log10(blocks) - _ABSOLUTE_GATE_LUFS) / _BIN_LU).astype(np.int64)
        bins = bins.clip(0, _BINS - 1)
        np.add.at(self._counts, bins, 1)
        np.add.at(self._sums, bins, blocks)

    def _seek_peak(self, pcm: Pcm) -> None:
        """Interpolate only where more than the largest so far can come out, by 0.05 dB."""
        joined = np.concatenate((self._tails, pcm), axis=1)
        self._tails = joined[:, joined.shape[1] - (_TAPS - 1) :].copy()
        for channel in joined:
            if _most_between(channel, self._true_peak) > self._true_peak * _WORTH_A_LOOK:
                self._true_peak = max(self._true_peak, _interpolated_peak(channel))


def _most_between(samples: Pcm, known: float) -> float:
    """What no value between the samples can exceed; exactly computed only where that may be more than is known.

    A value between is a mean of the two samples beside it, and for the rest a sum of second differences: these are
    small where the sound has no high frequencies.
    """
    largest = max(int(samples.max()), -int(samples.min()))
    at_most = largest * _MOST_OVERSHOOT
    if at_most <= known * _WORTH_A_LOOK:
        return at_most
    curves = np.diff(samples.astype(np.int32), 2)
    curve = max(int(curves.max()), -int(curves.min()))
    return min(at_most, largest * _MEAN_GAIN + curve * _CURVE_GAIN)


def _bound_by_curves() -> tuple[float, float]:
    """The gains of mean and second difference in `_most_between`: the largest of the four phases."""
    gains = []
    for taps in _INTERPOLATION.T:
        total = float(taps.sum())
        center = float(np.arange(_TAPS) @ taps) / total
        beside = int(center)
        mean = np.zeros(_TAPS)
        mean[beside : beside + 2] = total * (beside + 1 - center), total * (center - beside)
        gains.append((total, float(np.abs(np.cumsum(np.cumsum(taps - mean))).sum())))
    means, curves = zip(*gains, strict=True)
    return max(means), max(curves)


def _interpolated_peak(samples: Pcm) -> float:
    """The largest magnitude between samples; of shape (n,), n >= _TAPS."""
    blocks = np.zeros((-(-len(samples) // _SHORT_BLOCK_SAMPLES) + 1, _SHORT_BLOCK_SAMPLES), dtype=np.float32)
    blocks.ravel()[: len(samples)] = samples
    between = np.concatenate((blocks[:-1], blocks[1:, : _TAPS - 1]), axis=1) @ _INTERPOLATE_BLOCK
    return float(max(between.max(), -between.min()))


def _interpolate_block() -> NDArray[np.float32]:
    """What turns a block's samples, and those before it that the filter reaches, into four times as many."""
    matrix = np.zeros((_SHORT_BLOCK_SAMPLES + _TAPS - 1, _SHORT_BLOCK_SAMPLES, _INTERPOLATION.shape[1]))
    for output in range(_SHORT_BLOCK_SAMPLES):
        matrix[output : output + _TAPS, output] = _INTERPOLATION
    return matrix.reshape(len(matrix), -1).astype(np.float32)


_Stage = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]  # a, b, c, d of a state space


def _state_space(b: tuple[float, ...], a: tuple[float, ...]) -> _Stage:
    """A filter of second order in its controllable form."""
    transition = np.array([[-a[1], -a[2]], [1.0, 0.0]])
    return transition, np.array([1.0, 0.0]), np.array([b[1] - a[1] * b[0], b[2] - a[2] * b[0]]), b[0]


def _in_series(first: _Stage, second: _Stage) -> _Stage:
    (a1, b1, c1, d1), (a2, b2, c2, d2) = first, second
    transition = np.block([[a1, np.zeros((len(a1), len(a2)))], [np.outer(b2, c1), a2]])
    return transition, np.concatenate((b1, b2 * d1)), np.concatenate((d2 * c1, c2)), d1 * d2


def _lufs(energy: float) -> float:
    return _OFFSET_LU + 10 * math.log10(energy)


_FILTER = _BlockFilter()
_INTERPOLATE_BLOCK = _interpolate_block()
_MEAN_GAIN, _CURVE_GAIN = _bound_by_curves()
