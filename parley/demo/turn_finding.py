"""Whether a recording holds the conversation: each turn is looked for by its sound, wherever it may be.

Pure: samples in, findings out. A turn is cut into pieces, as the jitter buffer may stretch speech by tens of
milliseconds, and each piece is found by normalized cross-correlation with the whole file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.pcm import FULL_SCALE
from parley.demo.script import SPOKEN_RATE, Speech, Turn

RATE = 12_000  # both sides are compared at this rate: speech has little above 6 kHz
PIECE_SAMPLES = RATE // 2
LEAST_LIKENESS = 0.5  # of a piece; what Opus at LiveKit's speech bitrate leaves is above 0.9
LEAST_SHARE = 0.8  # of a turn's pieces
EARLIEST_MS = -150
LATEST_MS = 600  # encoding, jitter buffer and the talker's own queue
_QUIET = 0.02

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a turn.

    Attributes:
        turn: as it was spoken.
        expected_ms: where in the recording it was spoken.
        found: how many of its `pieces` are there, in their places.
        likeness: mean over those pieces, 0 … 1.
        delay_ms: median over them; None when nothing was found.
    """

    turn: Turn
    expected_ms: float
    pieces: int
    found: int
    likeness: float
    delay_ms: float | None

    @property
    def is_there(self) -> bool:
        """Whether enough of it was found."""
        return self.found >= LEAST_SHARE * self.pieces


def find_turns(recording: NDArray[np.int16], rate: int, turns: Sequence[Turn], talking_ms: float) -> list[Finding]:
    """Look for every turn in `recording` of shape (n,); the conversation began `talking_ms` after its first sample."""
    track = _Track(_resample(recording, rate))
    return [_find(track, turn, talking_ms + turn.at_ms) for turn in turns]


class _Track:
    """A recording at RATE, prepared for many correlations."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self._size = 1 << (len(samples) + PIECE_SAMPLES).bit_length()
        self._spectrum = np.fft.rfft(samples, self._size)
        energy = np.concatenate(([0.0], np.cumsum(samples**2)))
        window = np.zeros(len(samples))
        window[: len(samples) - PIECE_SAMPLES + 1] = energy[PIECE_SAMPLES:] - energy[:-PIECE_SAMPLES]
        self._norms = np.sqrt(np.maximum(window, 1e-6 * PIECE_SAMPLES))

    def place(self, piece: Samples) -> tuple[int, float]:
        """Where `piece` fits best, and how well (0 … 1)."""
        products = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(piece, self._size)), self._size)
        likeness = products[: len(self.samples)] / (self._norms * np.linalg.norm(piece))
        best = int(np.argmax(likeness))
        return best, float(likeness[best])


def _find(track: _Track, turn: Turn, expected_ms: float) -> Finding:
    speech = _resample(turn.speech, SPOKEN_RATE)
    loudest = np.abs(speech).max()
    pieces = 0
    delays: list[float] = []
    likenesses: list[float] = []
    for start in range(0, len(speech) - PIECE_SAMPLES + 1, PIECE_SAMPLES):
        piece = speech[start : start + PIECE_SAMPLES]
        if np.abs(piece).max() < _QUIET * loudest:
            continue
        pieces += 1
        place, likeness = track.place(piece)
        delay_ms = (place - start) * 1000 / RATE - expected_ms
        if likeness >= LEAST_LIKENESS and EARLIEST_MS <= delay_ms <= LATEST_MS:
            delays.append(delay_ms)
            likenesses.append(likeness)
    likeness = float(np.mean(likenesses)) if likenesses else 0.0
    return Finding(turn, expected_ms, pieces, len(delays), likeness, float(np.median(delays)) if delays else None)


def _resample(samples: Speech, rate: int) -> Samples:
    """At RATE, by the spectrum of the whole; values in -1 … 1."""
    length = len(samples) * RATE // rate
    spectrum = np.fft.rfft(samples / FULL_SCALE)
    return np.fft.irfft(spectrum, n=length) * (length / len(samples))
