"""What a session's log already has of its speech: whom an agent transcribes, and which utterances are logged."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from audio.pcm import SPEECH_RATE
from audio.ranges import Range, merged_ranges
from audio.segments.track_tally import TrackLabel
from audio.voice_activity import PADDING_MS
from sessions.texts.kept_text import kept_text
from store.sessions.log.session_log import LogEntry
from worker.outputs.speech.utterances import Utterance

_MOSTLY = 0.5  # what is logged of an utterance: it was cut elsewhere when somebody else heard it


@dataclass(frozen=True, slots=True)
class LoggedSpeech:
    """What does not have to be recognized, or not again.

    Attributes:
        seq: of the last entry that was looked at.
        transcribed: identities whose words somebody else has transcribed already.
        assistants: identities that speak for the other side.
        utterances: external ids of what is logged.
        stretches: of what is logged, [start, end) by track, in samples at 16 kHz.
        heard_ms: what began before this was recognized; 0: somebody begins at the beginning.
    """

    seq: int = 0
    heard_ms: int = 0
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
            track, _, start = (entry.external_id or "").rpartition("/")
            if track:  # else the id was too long, and stands for itself only
                stretches[track] = merged_ranges([*stretches.get(track, ()), (int(start), _end_of(entry))])
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
        start, end = utterance.start_sample, utterance.start_sample + len(utterance.pcm)
        own = self.stretches.get(_track(utterance.label), ())
        logged = sum(max(min(high, end) - max(low, start), 0) for low, high in own)
        return logged > _MOSTLY * (end - start)

    def told(self, label: TrackLabel) -> tuple[Range, ...]:
        """What of a track is logged already, to be left out by somebody who does not begin at the beginning.

        They would cut it into other utterances than it was, and so tell some of it twice, or not at all.
        """
        return self.stretches.get(_track(label), ()) if self.heard_ms > 0 else ()


def _track(label: TrackLabel) -> str:
    return kept_text(f"{label.identity}/{label.sid}")


def _end_of(entry: LogEntry) -> int:
    """At least where the utterance ended: milliseconds are rounded down, and words end before it does."""
    end_ms = (entry.end_ms or 0) + (PADDING_MS if entry.words else 0)
    return (end_ms + 1) * SPEECH_RATE // 1000


def _is_transcription(entry: LogEntry) -> bool:
    return entry.source == "lk.transcription" and entry.final


def _is_assistants(entry: LogEntry) -> bool:
    return entry.role == "assistant" and entry.source != "speech"
