"""faster-whisper on this machine (extra `whisper`); it loads its model from the cache, or downloads it once."""

import asyncio
import math
from pathlib import Path
from typing import Any

import numpy as np

from audio.pcm import FULL_SCALE, Pcm
from worker.outputs.speech.engines.engine import Recognized, SpeechError, SpokenWord
from worker.outputs.speech.engines.languages import primary_subtag

DEFAULT_MODEL = "small"


class WhisperEngine:
    """Recognizes in a thread; the library releases the GIL."""

    name = "faster-whisper"

    def __init__(self, model: str | None) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError:
            raise SpeechError(
                "speech.engine_missing", "the faster-whisper engine needs the extra parley[whisper]"
            ) from None
        wanted = model or DEFAULT_MODEL
        self.model: str | None = Path(wanted).name if Path(wanted).is_dir() else wanted  # customers see this
        try:
            self._whisper: Any = WhisperModel(wanted, device="auto", compute_type="default")
        except ValueError:
            raise SpeechError("speech.engine_missing", "faster-whisper knows no model of that name") from None
        except OSError as error:
            reason = "is not on this machine and can't be downloaded"
            raise SpeechError("speech.engine_failed", f"the model {reason} ({type(error).__name__})") from None
        except RuntimeError:
            raise SpeechError("speech.engine_failed", "the model is damaged, or there is no memory for it") from None

    async def recognize(self, pcm: Pcm, language: str | None = None) -> Recognized:
        """See `SpeechEngine`."""
        return await asyncio.to_thread(self._transcribe, np.asarray(pcm, dtype=np.float32) / FULL_SCALE, language)

    def _transcribe(self, samples: Any, language: str | None) -> Recognized:
        code = None if language is None else primary_subtag(language)
        if code is not None and code not in self._whisper.supported_languages:
            raise SpeechError("speech.language_unsupported", f"the faster-whisper engine does not know {language}")
        found, about = self._whisper.transcribe(
            samples, language=code, word_timestamps=True, condition_on_previous_text=False
        )
        segments = list(found)
        words = tuple(
            SpokenWord(
                word.word.strip(), round(word.start * 1000), round(word.end * 1000), round(float(word.probability), 4)
            )
            for segment in segments
            for word in segment.words or ()
        )
        scores = [math.exp(min(segment.avg_logprob, 0.0)) for segment in segments]
        return Recognized(
            text=" ".join(segment.text.strip() for segment in segments).strip(),
            confidence=round(sum(scores) / len(scores), 4) if scores else None,
            words=words,
            language=about.language,
        )
