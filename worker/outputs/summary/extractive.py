"""The embedded summarizer: the most central sentences, by LexRank, and those that sound like a promise.

LexRank compares every sentence with every other: long transcripts are ranked in parts, and then the winners. Promises
are recognized in English only.
"""

import asyncio
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sessions.texts.transcript import TranscriptSegment
from worker.outputs.summary.lexrank import lexrank
from worker.outputs.summary.summarizer import Gist, SummaryError

_SENTENCES_PER_PART = 120
_SUMMARY_SENTENCES = 3
_KEY_POINTS = 5
_ACTION_ITEMS = 10
_TITLE_CHARACTERS = 80
_QUOTE_CHARACTERS = 240  # engines without punctuation make long sentences
_LEAST_WORDS = 3  # with a meaning; shorter sentences are greetings and answers
_TITLE_TERMS = 3
_LEAST_MENTIONS = 2
_FILLERS = frozenset({"ah", "eh", "er", "hm", "hmm", "oh", "ok", "okay", "uh", "um", "yeah"})
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])\s+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_PROMISE = re.compile(
    r"\b(?:(?:i|we|you|he|she|they)(?:['’]ll| will| shall| must| should| need to| have to)\b(?! not)"
    r"|let us|let['’]s|please|action item|to-?do|follow[- ]?up|make sure)",
    re.IGNORECASE,
)


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
        meaningless = _stop_words(language) | _FILLERS
        candidates = _telling(sentences, meaningless)
        ranked = _rank(candidates, _KEY_POINTS, meaningless)
        chosen = set(ranked[:_SUMMARY_SENTENCES])
        in_order = [sentence for index, sentence in enumerate(candidates) if index in chosen]
        promises = [sentence for sentence in sentences if _PROMISE.search(sentence.text)]
        return Gist(
            title=_title(candidates, ranked, meaningless),
            summary=" ".join(_closed(f"{one.who}: {_shortened(one.text, _QUOTE_CHARACTERS)}") for one in in_order),
            key_points=tuple(_shortened(candidates[index].text, _QUOTE_CHARACTERS) for index in sorted(ranked)),
            action_items=tuple(
                f"{one.who}: {_shortened(one.text, _QUOTE_CHARACTERS)}"
                for one in promises[:_ACTION_ITEMS]
                if len(one.words) >= _LEAST_WORDS
            ),
            language=language,
        )


def split_sentences(segments: Sequence[TranscriptSegment]) -> list[Sentence]:
    """The sentences of all segments, in order; without punctuation a whole segment is one sentence."""
    return [
        Sentence(segment.who, " ".join(part.split()))
        for segment in segments
        for part in _SENTENCE_END.split(segment.text)
        if part.strip()
    ]


def _telling(sentences: Sequence[Sentence], meaningless: frozenset[str]) -> list[Sentence]:
    """The sentences that say something by themselves; all of them if none does."""
    long = [one for one in sentences if len(set(one.words) - meaningless) >= _LEAST_WORDS]
    statements = [one for one in long if not one.text.endswith(("?", "？", "؟"))]
    return statements or long or [one for one in sentences if one.words] or list(sentences)


def _title(candidates: Sequence[Sentence], ranked: Sequence[int], meaningless: frozenset[str]) -> str | None:
    """The most central sentence if it is short enough, else the words that are spoken most."""
    if not ranked:
        return None
    best = candidates[ranked[0]].text
    if len(best) > _TITLE_CHARACTERS or not _is_closed(best):
        mentions = Counter(
            word for one in candidates for word in one.words if word not in meaningless and len(word) > 2
        )
        terms = [word for word, count in mentions.most_common(_TITLE_TERMS) if count >= _LEAST_MENTIONS]
        if len(terms) > 1:
            return _capitalized(", ".join(terms))
    return _capitalized(_shortened(best, _TITLE_CHARACTERS).rstrip(".!?。！？")) or None


def _rank(sentences: Sequence[Sentence], count: int, stop_words: frozenset[str]) -> list[int]:
    """The indices of the `count` most central sentences, the best first."""
    indices = list(range(len(sentences)))
    while len(indices) > _SENTENCES_PER_PART:
        parts = [indices[at : at + _SENTENCES_PER_PART] for at in range(0, len(indices), _SENTENCES_PER_PART)]
        indices = sorted(index for part in parts for index in _best(sentences, part, count, stop_words))
    return _best(sentences, indices, count, stop_words)


def _best(sentences: Sequence[Sentence], indices: Sequence[int], count: int, stop_words: frozenset[str]) -> list[int]:
    """LexRank over some of the sentences."""
    words = [[word for word in sentences[index].words if word not in stop_words] for index in indices]
    if not any(words):
        return list(indices[:count])
    scores = lexrank(words)
    order = sorted(range(len(indices)), key=lambda at: (-round(float(scores[at]), 9), at))
    return [indices[at] for at in order[:count]]


def _stop_words(language: str | None) -> frozenset[str]:
    """Of a language's code or English name; none of one that is not known, English ones where nobody says which."""
    try:
        from stop_words import StopWordError, get_stop_words
    except ImportError:
        raise SummaryError("summary.engine_missing", "extractive summaries need the extra parley[summary]") from None
    try:
        return frozenset(get_stop_words((language or "en").lower().partition("-")[0]))
    except StopWordError:
        return frozenset()


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _is_closed(text: str) -> bool:
    return text.endswith((".", "!", "?", "…", "。", "！", "？", "؟"))


def _closed(text: str) -> str:
    """The text with a full stop of its script at the end."""
    if _is_closed(text):
        return text
    return text + ("。" if unicodedata.east_asian_width(text[-1]) in "WF" else ".")


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shortened(text: str, most_characters: int) -> str:
    """The text, cut between words to at most so many characters."""
    if len(text) <= most_characters:
        return text
    return text[: most_characters - 1].rsplit(" ", 1)[0].rstrip(",;: ") + "…"
