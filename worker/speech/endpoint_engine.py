"""Any OpenAI-compatible transcription endpoint: `POST {PARLEY_SPEECH_URL}/audio/transcriptions`."""

import io
import math
from typing import Any

import aiohttp
import soundfile

from audio.pcm import SPEECH_RATE, Pcm
from worker.openai_endpoint import EndpointError, OpenAiEndpoint
from worker.speech.engine import Recognized, SpeechError, SpokenWord

DEFAULT_MODEL = "whisper-1"


class EndpointEngine:
    """Sends each utterance as a WAV file and asks for word times; takes plain `{"text"}` answers too."""

    name = "openai"

    def __init__(self, endpoint: OpenAiEndpoint, model: str | None) -> None:
        self.model: str | None = model or DEFAULT_MODEL
        self._endpoint = endpoint

    async def recognize(self, pcm: Pcm) -> Recognized:
        """See `SpeechEngine`."""
        wav = io.BytesIO()
        soundfile.write(wav, pcm, SPEECH_RATE, format="WAV", subtype="PCM_16")
        try:
            answer = await self._endpoint.post("/audio/transcriptions", lambda: self._form(wav.getvalue()))
            return _recognized(answer)
        except EndpointError as error:
            code = "speech.engine_refused" if error.final else "speech.engine_failed"
            raise SpeechError(code, str(error)) from None
        except (TypeError, ValueError, KeyError):
            raise SpeechError("speech.engine_failed", "the endpoint's answer is no transcription") from None

    def _form(self, wav: bytes) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("file", wav, filename="utterance.wav", content_type="audio/wav")
        form.add_field("model", self.model or DEFAULT_MODEL)
        form.add_field("response_format", "verbose_json")
        form.add_field("timestamp_granularities[]", "word")
        form.add_field("timestamp_granularities[]", "segment")
        return form


def _recognized(answer: dict[str, Any]) -> Recognized:
    text = answer["text"]
    if not isinstance(text, str):
        raise TypeError
    scores = [
        math.exp(min(float(segment["avg_logprob"]), 0.0))
        for segment in answer.get("segments") or ()
        if segment.get("avg_logprob") is not None
    ]
    words = tuple(
        SpokenWord(
            str(word["word"]).strip(), round(float(word["start"]) * 1000), round(float(word["end"]) * 1000), None
        )
        for word in answer.get("words") or ()
    )
    language = answer.get("language")
    return Recognized(
        text=text.strip(),
        confidence=round(sum(scores) / len(scores), 4) if scores else None,
        words=words,
        language=language if isinstance(language, str) and language else None,
    )
