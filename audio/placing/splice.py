"""Makes a frame of speech shorter or longer by whole periods of the voice, as jitter buffers do."""

import numpy as np
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE, Pcm

_FADE_SAMPLES = SAMPLE_RATE // 100
_SEARCH_SAMPLES = SAMPLE_RATE // 100  # so much more or less than asked for: the longest period of a voice


def splice(pcm: Pcm, change_samples: int) -> Pcm:
    """Return samples of shape (n,) with about `change_samples` more, or fewer if that is negative.

    Where the signal resembles itself best, a piece is left out or said twice, and cross-faded for 10 ms. The change is
    off by up to 10 ms, and smaller than asked for in a frame that is too short for it.
    """
    start, lags = _candidates(len(pcm), abs(change_samples))
    if len(lags) == 0:
        return pcm
    lag = _likest(pcm, start, lags)
    early, late = pcm[start : start + _FADE_SAMPLES], pcm[start + lag : start + lag + _FADE_SAMPLES]
    if change_samples < 0:
        return np.concatenate((pcm[:start], _faded(early, late), pcm[start + lag + _FADE_SAMPLES :]))
    return np.concatenate((pcm[: start + lag], _faded(late, early), pcm[start + _FADE_SAMPLES :]))


def _candidates(num_samples: int, wanted: int) -> tuple[int, NDArray[np.int64]]:
    """Where the piece begins, and how long it may be."""
    most = num_samples - _FADE_SAMPLES
    lags = np.arange(max(wanted - _SEARCH_SAMPLES, _FADE_SAMPLES // 2), min(wanted + _SEARCH_SAMPLES, most) + 1)
    longest = int(lags[-1]) if len(lags) else 0
    return max((most - longest) // 2, 0), lags[lags + _FADE_SAMPLES <= num_samples]


def _likest(pcm: Pcm, start: int, lags: NDArray[np.int64]) -> int:
    first, last = start + int(lags[0]), start + int(lags[-1])
    early = pcm[start : start + _FADE_SAMPLES].astype(np.float64)
    late = np.lib.stride_tricks.sliding_window_view(pcm[first : last + _FADE_SAMPLES].astype(np.float64), _FADE_SAMPLES)
    power = np.maximum(np.einsum("ij,ij->i", late, late), 1.0)
    return int(lags[np.argmax(late @ early / np.sqrt(power))])


def _faded(from_pcm: Pcm, to_pcm: Pcm) -> Pcm:
    share = np.arange(_FADE_SAMPLES) / _FADE_SAMPLES
    return np.rint(from_pcm * (1 - share) + to_pcm * share).astype(np.int16)
