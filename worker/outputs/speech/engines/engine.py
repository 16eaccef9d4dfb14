"""The port that every speech engine has, and how engines fail."""

from dataclasses import dataclass
from typing import Protocol

from audio.pcm import Pcm
from sessions.errors import ParleyError
from sessions.texts.transcript import Unheard


class SpeechError(ParleyError):
    """An engine did not do its work.

    `speech.engine_missing`, `speech.language_unsupported`, `speech.engine_refused` (for good) or `speech.engine_failed`
    (try again).
    """


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word; times in milliseconds from the first sample of what was recognized."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Recognized:
    """What an engine understood.

    Attributes:
        text: empty when there was nothing to understand, or it was not understood.
        confidence: 0..1, None where the engine gives none.
        language: BCP 47, None when the engine doesn't say.
        reason: why there is no text although somebody seems to speak.
    """

    text: str
    confidence: float | None
    words: tuple[SpokenWord, ...]
    language: str | None
    reason: Unheard | None = None


class SpeechEngine(Protocol):
    """Understands one utterance at a time."""

    @property
    def name(self) -> str:
        """As `PARLEY_SPEECH_ENGINE` spells it."""
        ...

    @property
    def model(self) -> str | None:
        """What it recognizes with."""
        ...

    async def recognize(self, pcm: Pcm, language: str | None = None) -> Recognized:
        """Understand int16 samples of shape (n,) at 16 kHz, at most 15 s.

        Args:
            language: what is spoken, as BCP 47; None: whatever it is.

        Raises:
            SpeechError: it can't; `speech.language_unsupported`: not this language.
        """
        ...
