"""What a session's log holds already: who is transcribed by others, and which utterances are logged."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from audio.ranges import Range, merged_ranges
from sessions.texts.kept_text import kept_id
from store.log.session_log import LogEntry
from worker.speech.utterances import Utterance

_MOSTLY = 0.5  # what is logged of an utterance: it was cut elsewhere when somebody else heard it


@dataclass(frozen=True, slots=True)
class Known:
    """What does not have to be recognized, or not again.

    Attributes:
        seq: of the last entry that was looked at.
        transcribed: identities whose words somebody else has transcribed already.
        assistants: identities that speak for the other side.
        utterances: external ids of what is logged.
        stretches: of what is logged, [start_ms, end_ms) by track.
    """

    seq: int = 0
    transcribed: frozenset[str] = frozenset()
    assistants: frozenset[str] = frozenset()
    utterances: frozenset[str] = frozenset()
    stretches: dict[str, tuple[Range, ...]] = field(default_factory=dict)

    def with_entries(self, entries: Sequence[LogEntry]) -> Self:
        """The same with entries that follow in the log."""
        if not entries:
            return self
        named = [entry for entry in entries if entry.identity]
        ours = [entry for entry in entries if entry.source == "speech" and entry.external_id]
        stretches = dict(self.stretches)
        for entry in ours:
            track = _track_of(entry.external_id or "")
            own = stretches.get(track, ())
            stretches[track] = merged_ranges([*own, (entry.start_ms or 0, entry.end_ms or 0)])
        return replace(
            self,
            seq=entries[-1].seq,
            transcribed=self.transcribed | {one.identity or "" for one in named if _is_transcription(one)},
            assistants=self.assistants | {one.identity or "" for one in named if _is_assistants(one)},
            utterances=self.utterances | {entry.external_id or "" for entry in ours},
            stretches=stretches,
        )

    def has(self, utterance: Utterance) -> bool:
        """Whether it is logged, or most of it under another id."""
        if utterance.external_id in self.utterances:
            return True
        start, end = utterance.start_ms, utterance.end_ms
        own = self.stretches.get(_track_of(utterance.external_id), ())
        logged = sum(max(min(high, end) - max(low, start), 0) for low, high in own)
        return logged > _MOSTLY * (end - start)


def _track_of(external_id: str) -> str:
    return kept_id(external_id.rpartition("/")[0])


def _is_transcription(entry: LogEntry) -> bool:
    return entry.source == "lk.transcription" and entry.final


def _is_assistants(entry: LogEntry) -> bool:
    return entry.role == "assistant" and entry.source != "speech"
