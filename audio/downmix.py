"""Makes two channels of one source mono, and loses nothing that is loud in either of them.

The plain mean loses what is in opposite phase (all of it) and half of what is on one side only. Here the source is
the mean times a gain that makes it as loud as the louder channel, and one channel is turned over while the two are
mostly opposed. Both channels are always in it with the same weight, so that no voice in one of them is muted by the
other. A mean that is made louder adds no comb: there is no delay in it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from audio.pcm import Pcm

_OPPOSED = 4.0  # one channel is turned over for a sum that has four times (6 dB) the power, and back likewise
_MOST_GAIN = math.sqrt(2 * (1 + _OPPOSED))  # what the weaker sum needs at the most
_MEMORY = 0.9  # of the powers, per block: of 100 ms, about a second. A loud block outweighs quiet ones at once
_MOST_OVER = 1.19  # 1.5 dB: a block is never more than this louder than its louder channel
_HEADROOM_RISE = 1.07  # per block: of 100 ms, 6 dB per second
_FADE_SAMPLES = 480  # 10 ms: from a channel to the same turned over, and from a gain to a lower one
_LARGEST = 32_767


class Downmix:
    """Makes one source's blocks mono, one after the other; what has been heard of it decides how.

    A source that is the same in both channels, or in one only, or in both in opposite phase, comes out bit for bit.
    """

    def __init__(self) -> None:
        self._gain: float | None = None  # None: nothing but silence was heard
        self._sign = 1
        self._powers = np.zeros(3)  # of the left, of the right, of what they share
        self._headroom = _MOST_GAIN

    def to_mono(self, stereo: NDArray[np.int16]) -> Pcm:
        """Return shape (n,) for samples of shape (n, 2); blocks of about 100 ms are meant.

        The gain moves within a block from where it was; it falls before a sample that would not fit.
        """
        left, right = stereo[:, 0], stereo[:, 1]
        same = np.array_equal(left, right)
        if same and self._gain == 1.0 and self._sign == 1:
            return left.copy()
        if same and not left.any():
            return left.copy()
        self._headroom = min(self._headroom * _HEADROOM_RISE, _MOST_GAIN)
        floats = stereo.T.astype(np.float64)
        powers, turned = self._listen(floats, same)
        mean = (floats[0] + self._sign * floats[1]) / 2
        self._headroom = min(self._headroom, _LARGEST / max(float(np.abs(mean).max()), 1.0))
        wanted = min(self._gain_for(self._powers), _MOST_OVER * self._gain_for(powers))
        gain = 1.0 if same else max(min(wanted, self._headroom), 1.0)
        before, self._gain = self._gain, gain
        if before is None:
            mono = gain * mean
        elif turned:
            mono = gain * mean
            share = np.arange(1, min(_FADE_SAMPLES, len(mono)) + 1) / _FADE_SAMPLES
            old = before * (floats[0] - self._sign * floats[1]) / 2
            mono[: len(share)] = share * mono[: len(share)] + (1 - share) * old[: len(share)]
        else:
            mono = _moving_gain(before, gain, mean) * mean
        fitting: Pcm = np.rint(mono).clip(-_LARGEST - 1, _LARGEST).astype(np.int16)
        return fitting

    def _listen(self, floats: NDArray[np.float64], same: bool) -> tuple[NDArray[np.float64], bool]:
        """Take in a block's powers; return them, and whether one channel is turned over or back from here on."""
        left, right = floats
        powers = np.array([left @ left, right @ right, left @ right])
        both, shared = powers[0] + powers[1], 2 * self._sign * powers[2]
        turned = _OPPOSED * (both + shared) < both - shared or (same and self._sign == -1)
        if turned:
            self._sign = -self._sign
        self._powers = powers if turned or same else _MEMORY * self._powers + powers
        return powers, turned

    def _gain_for(self, powers: NDArray[np.float64]) -> float:
        """What makes the mean as loud as the louder channel."""
        left, right, shared = powers
        power = (left + right + 2 * self._sign * shared) / 4
        return min(math.sqrt(max(left, right) / power), _MOST_GAIN) if power > 0 else _MOST_GAIN


def _moving_gain(before: float, after: float, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """From one gain up to the other along the block, or down; sooner where a sample would not fit otherwise."""
    passed = np.arange(1, len(mean) + 1)
    if after >= before:
        return np.linspace(before, after, len(mean))
    fitting = _LARGEST / np.maximum(np.abs(mean), 1.0)
    fall = max((before - after) / _FADE_SAMPLES, float(((before - fitting) / passed).max()))
    gains: NDArray[np.float64] = np.maximum(before - fall * passed, after)
    return gains
