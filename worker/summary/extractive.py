"""The embedded summarizer: the most central sentences, by LexRank (sumy), and those that sound like a promise.

sumy's own tokenizer wants a download, so sentences and words are found here. LexRank compares every sentence with every
other: long transcripts are ranked in parts, and then the winners.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sessions.transcript import TranscriptSegment
from worker.summary.port import Gist, SummaryError

_SENTENCES_PER_PART = 120
_SUMMARY_SENTENCES = 3
_KEY_POINTS = 5
_ACTION_ITEMS = 10
_TITLE_CHARACTERS = 80
_LEAST_WORDS = 3  # shorter ones say hello or yes
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_PROMISE = re.compile(
    r"\b(?:(?:i|we|you|he|she|they)(?:['’]ll| will| shall| must| should| need to| have to)\b(?! not)"
    r"|let us|let['’]s|please|action item|to-?do|follow[- ]?up|make sure)",
    re.IGNORECASE,
)
_LANGUAGES = {
    "cs": "czech", "de": "german", "en": "english", "es": "spanish", "fr": "french", "it": "italian",
    "pl": "polish", "pt": "portuguese", "sk": "slovak", "uk": "ukrainian",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of somebody."""

    who: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words in lower case."""
        return _words(self.text)


class ExtractiveSummarizer:
    """Ranks in a thread."""

    name = "extractive"
    model: str | None = "lexrank"

    async def summarize(self, segments: Sequence[TranscriptSegment], language: str | None) -> Gist:
        """See `Summarizer`."""
        return await asyncio.to_thread(self._summarize, split_sentences(segments), language)

    def _summarize(self, sentences: Sequence[Sentence], language: str | None) -> Gist:
        candidates = [sentence for sentence in sentences if len(sentence.words) >= _LEAST_WORDS] or list(sentences)
        ranked = _rank(candidates, _KEY_POINTS, _stop_words(language))
        chosen = set(ranked[:_SUMMARY_SENTENCES])
        in_order = [sentence for index, sentence in enumerate(candidates) if index in chosen]
        promises = [sentence for sentence in candidates if _PROMISE.search(sentence.text)]
        return Gist(
            title=_shortened(candidates[ranked[0]].text) if ranked else None,
            summary=" ".join(_closed(f"{sentence.who}: {sentence.text}") for sentence in in_order),
            key_points=tuple(candidates[index].text for index in sorted(ranked[:_KEY_POINTS])),
            action_items=tuple(f"{sentence.who}: {sentence.text}" for sentence in promises[:_ACTION_ITEMS]),
            language=language,
        )


def split_sentences(segments: Sequence[TranscriptSegment]) -> list[Sentence]:
    """The sentences of all segments, in their order; engines without punctuation make one of each segment."""
    return [
        Sentence(segment.who, " ".join(part.split()))
        for segment in segments
        for part in _SENTENCE_END.split(segment.text)
        if part.strip()
    ]


def _rank(sentences: Sequence[Sentence], count: int, stop_words: frozenset[str]) -> list[int]:
    """The indices of the `count` most central sentences, the best first."""
    indices = list(range(len(sentences)))
    while len(indices) > _SENTENCES_PER_PART:
        parts = [indices[at : at + _SENTENCES_PER_PART] for at in range(0, len(indices), _SENTENCES_PER_PART)]
        indices = sorted(index for part in parts for index in _best(sentences, part, count, stop_words))
    return _best(sentences, indices, count, stop_words)


def _best(sentences: Sequence[Sentence], indices: Sequence[int], count: int, stop_words: frozenset[str]) -> list[int]:
    """LexRank over some of the sentences."""
    try:
        from sumy.summarizers.lex_rank import LexRankSummarizer
    except ImportError:
        raise SummaryError("summary.engine_missing", "extractive summaries need the extra parley[summary]") from None
    ranking: Any = LexRankSummarizer()
    words = [[word for word in sentences[index].words if word not in stop_words] for index in indices]
    if not any(words):
        return list(indices[:count])
    frequencies = ranking._compute_tf(words)
    matrix = ranking._create_matrix(words, ranking.threshold, frequencies, ranking._compute_idf(words))
    scores = ranking.power_method(matrix, ranking.epsilon)
    order = sorted(range(len(indices)), key=lambda at: (-float(scores[at]), at))
    return [indices[at] for at in order[:count]]


def _stop_words(language: str | None) -> frozenset[str]:
    name = _LANGUAGES.get((language or "en").lower().partition("-")[0], (language or "english").lower())
    try:
        from sumy.utils import get_stop_words

        return frozenset(get_stop_words(name))
    except (ImportError, LookupError):
        return frozenset()


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{text}."


def _shortened(text: str) -> str:
    """At most 80 characters, cut between words."""
    text = text.rstrip(".!?…")
    if len(text) <= _TITLE_CHARACTERS:
        return text
    return text[: _TITLE_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip(",;: ") + "…"
