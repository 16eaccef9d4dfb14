"""Any OpenAI-compatible transcription endpoint: `POST {PARLEY_SPEECH_URL}/audio/transcriptions`."""

import io
import math
from typing import Any

import aiohttp
import soundfile
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from audio.pcm import SPEECH_RATE, Pcm
from sessions.texts.kept_text import kept_text
from worker.outputs.openai_endpoint import EndpointError, OpenAiEndpoint
from worker.outputs.speech.engines.engine import Recognized, SpeechError, SpokenWord
from worker.outputs.speech.engines.languages import language_code, primary_subtag

DEFAULT_MODEL = "whisper-1"
_LATEST_SECONDS = 3600.0  # a later word time is made up; the largest floats do not fit milliseconds


class EndpointEngine:
    """Sends each utterance as a WAV file and asks for word times; takes plain `{"text"}` answers too."""

    name = "openai"

    def __init__(self, endpoint: OpenAiEndpoint, model: str | None) -> None:
        self.model: str | None = model or DEFAULT_MODEL
        self._endpoint = endpoint

    async def recognize(self, pcm: Pcm, language: str | None = None) -> Recognized:
        """See `SpeechEngine`."""
        wav = io.BytesIO()
        soundfile.write(wav, pcm, SPEECH_RATE, format="WAV", subtype="PCM_16")
        try:
            answer = await self._endpoint.post("/audio/transcriptions", lambda: self._form(wav.getvalue(), language))
            return _recognized(answer)
        except EndpointError as error:
            code = "speech.engine_refused" if error.final else "speech.engine_failed"
            raise SpeechError(code, str(error)) from None
        except ValidationError:
            raise SpeechError("speech.engine_failed", "the endpoint's answer is no transcription") from None

    def _form(self, wav: bytes, language: str | None) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("file", wav, filename="utterance.wav", content_type="audio/wav")
        form.add_field("model", self.model or DEFAULT_MODEL)
        if language is not None:
            form.add_field("language", primary_subtag(language))  # the API wants ISO 639-1
        form.add_field("response_format", "verbose_json")
        form.add_field("timestamp_granularities[]", "word")
        form.add_field("timestamp_granularities[]", "segment")
        return form


class _Word(BaseModel):
    word: str
    start: FiniteFloat
    end: FiniteFloat


class _Segment(BaseModel):
    avg_logprob: FiniteFloat | None = None


class _Transcription(BaseModel):
    """A `verbose_json` answer; services leave out the fields that they do not know."""

    model_config = ConfigDict(extra="ignore")

    text: str
    language: str | None = None
    words: list[_Word] | None = None
    segments: list[_Segment] | None = None


def _milliseconds(seconds: float) -> int:
    return round(min(max(seconds, -_LATEST_SECONDS), _LATEST_SECONDS) * 1000)


def _recognized(answer: dict[str, Any]) -> Recognized:
    said = _Transcription.model_validate(answer)
    scores = [math.exp(min(one.avg_logprob, 0.0)) for one in said.segments or () if one.avg_logprob is not None]
    return Recognized(
        text=kept_text(said.text).strip(),
        confidence=round(sum(scores) / len(scores), 4) if scores else None,
        words=tuple(
            SpokenWord(kept_text(one.word).strip(), _milliseconds(one.start), _milliseconds(one.end), None)
            for one in said.words or ()
        ),
        language=language_code(kept_text(said.language or "")),
    )
