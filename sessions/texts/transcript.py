"""The transcript of a session: who said or wrote what, and when, in the order of time."""

from dataclasses import dataclass
from typing import Any, Literal

TranscriptState = Literal["none", "open", "pending", "available", "incomplete"]
"""none: it never ran. open: it goes on. pending: speech is being recognized. incomplete: some speech is missing."""

Unheard = Literal["not_understood"]
"""Why a segment has no text: somebody spoke, and the engine could not tell what."""


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """One utterance or message.

    Attributes:
        seq: its place in the session's log; what was made anew has numbers behind all of them.
        role: `user`, `assistant` or `system`.
        text: empty when there is a `reason`.
        start_ms: from the session's `started_at`, as `end_ms`.
        words: {text, start_ms, end_ms, confidence} each; None where the source gives none.
        source: `speech`, `lk.transcription`, `lk.chat` or `api`.
    """

    seq: int
    speaker: str | None
    identity: str | None
    role: str
    text: str
    start_ms: int
    end_ms: int
    final: bool
    confidence: float | None
    words: list[dict[str, Any]] | None
    source: str
    reason: Unheard | None = None

    @property
    def who(self) -> str:
        """How to name the speaker, in one line, whatever the participant's name is."""
        return _in_one_line(self.speaker) or _in_one_line(self.identity) or self.role

    @property
    def was_spoken(self) -> bool:
        """Whether it took the time from `start_ms` to `end_ms`."""
        return self.source in ("speech", "lk.transcription")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptHead:
    """What is known of a transcript besides its segments.

    Attributes:
        code: why there is no speech in it, with `message`.
        version: 1: what was heard first; higher: made anew.
    """

    state: TranscriptState
    engine: str | None = None
    model: str | None = None
    language: str | None = None
    code: str | None = None
    message: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript(TranscriptHead):
    """All of it, as it is now.

    Attributes:
        segments: by start; the log's order decides between equals.
        sha256: of what is served now: it changes with every entry of the log, and with every version.
    """

    segments: tuple[TranscriptSegment, ...]
    sha256: str


def _in_one_line(name: str | None) -> str:
    return " ".join((name or "").split())
