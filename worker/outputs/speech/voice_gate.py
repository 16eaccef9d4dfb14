"""Which stretches of a track hold a voice: Silero's detector (a sine, noise and silence hold none)."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from audio.pcm import FULL_SCALE, SPEECH_RATE, Pcm
from audio.ranges import Range
from audio.voice_activity import MERGE_MS, VoicedStretches
from worker.outputs.speech.voice_detector import WINDOW_SAMPLES, VoiceDetector, VoiceModel

_WARM_UP_SAMPLES = SPEECH_RATE  # of a voice that is told already, before the first that isn't
_QUIET_PEAK = 33  # -60 dBFS: a window that is never louder holds no voice


class VoiceGate:
    """Listens to one track, int16 samples at 16 kHz, and tells the stretches [start, end) that hold a voice.

    They are told in order, as soon as they are known. About 200 times faster than real time, and much faster where it
    is silent. Nothing of `told` is told again.
    """

    def __init__(self, model: VoiceModel, told: Iterable[Range] = ()) -> None:
        self._model = model
        self._detector: VoiceDetector | None = None  # it starts anew after a silence
        self._window = WINDOW_SAMPLES
        self._stretches = VoicedStretches(self._window, SPEECH_RATE, told)
        self._rest: Pcm = np.zeros(0, dtype=np.int16)  # less than a window
        self._patience = MERGE_MS * SPEECH_RATE // 1000 // self._window
        self._quiet = self._patience + 1  # quiet windows in a row; the detector has to hear the short ones within words

    @property
    def earliest(self) -> int:
        """The first sample at which a later stretch can begin."""
        return self._stretches.earliest

    def hear(self, samples: Pcm) -> Iterator[Range]:
        """Take the next samples, shape (n,)."""
        heard = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(heard) // self._window * self._window
        self._rest = heard[whole:].copy()
        windows = heard[:whole].reshape(-1, self._window)
        if not len(windows):
            return
        loud = ((windows.max(axis=1) >= _QUIET_PEAK) | (windows.min(axis=1) <= -_QUIET_PEAK)).tolist()
        for window, is_loud in zip(windows.astype(np.float32) / np.float32(FULL_SCALE), loud, strict=True):
            stretch = self._stretches.hear(self._probability(window, is_loud))
            if stretch is not None:
                yield stretch

    def hear_silence(self, num_samples: int) -> Iterator[Range]:
        """Take so many samples that are 0, which costs next to nothing however many they are."""
        window = np.zeros(self._window, dtype=np.int16)
        while num_samples >= self._window:
            yield from self.hear(window)
            num_samples -= self._window
            if self._quiet > self._patience and self._stretches.is_idle:
                self._stretches.skip(num_samples // self._window)
                num_samples %= self._window
        yield from self.hear(window[:num_samples])

    def finish(self) -> Iterator[Range]:
        """The track is over, and with it a stretch that is still open."""
        padded = -len(self._rest) % self._window
        yield from self.hear(np.zeros(padded, dtype=np.int16))
        stretch = self._stretches.finish()
        if stretch is not None:
            yield stretch
        self._detector = None

    def _probability(self, window: NDArray[np.float32], is_loud: bool) -> float:
        self._quiet = 0 if is_loud else self._quiet + 1
        if self._quiet > self._patience or self._stretches.is_told_for > _WARM_UP_SAMPLES:
            self._detector = None
            return 0.0
        if self._detector is None:
            self._detector = self._model.detector()
        return self._detector.probability(window)
