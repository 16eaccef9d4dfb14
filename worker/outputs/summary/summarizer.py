"""What every summarizer is, and what it makes of a transcript."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sessions.errors import ParleyError
from sessions.texts.transcript import TranscriptSegment


class SummaryError(ParleyError):
    """No summary: `summary.engine_missing`, `summary.engine_refused`, `summary.engine_failed`."""


@dataclass(frozen=True, slots=True)
class Gist:
    """What a summarizer makes of a transcript; fields are empty where there is nothing to say.

    Attributes:
        language: BCP 47, None when it is not known.
    """

    title: str | None
    summary: str
    key_points: tuple[str, ...]
    action_items: tuple[str, ...]
    language: str | None


EMPTY = Gist(None, "", (), (), None)


class Summarizer(Protocol):
    """Summarizes a transcript of any length, which is not empty."""

    @property
    def name(self) -> str:
        """`extractive` or `openai`."""
        ...

    @property
    def model(self) -> str | None:
        """What it summarizes with."""
        ...

    async def summarize(self, segments: Sequence[TranscriptSegment], language: str | None) -> Gist:
        """Make the gist of the segments, given in the order of time.

        Raises:
            SummaryError: it can't.
        """
        ...
