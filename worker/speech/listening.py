"""From a recording's segments to log entries: tracks, voice, engine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from audio.pcm import SPEECH_RATE
from audio.plan import BuildPlan
from audio.ranges import Range
from audio.track_audio import TrackAudio, TrackFiles
from store.session_log import NewLogEntry, Role
from worker.speech.engine import Recognized, SpeechEngine, SpeechError
from worker.speech.voice_gate import find_voice

_AGENT_PREFIX = "agent-"  # how livekit-agents names its participants


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognized, in the order of time; `language` is the one that most utterances were in."""

    entries: tuple[NewLogEntry, ...]
    language: str | None


async def listen(
    plan: BuildPlan,
    read: Callable[[str], bytes],
    canceled: Event,
    open_engine: Callable[[], Awaitable[SpeechEngine]],
    *,
    temporary: Path,
    known: AbstractSet[str],
    assistants: AbstractSet[str],
) -> Heard:
    """Recognize every participant's own track.

    Args:
        read: as `audio.build.build_recording` takes it.
        open_engine: called as soon as there is something to recognize; loading a model takes seconds and memory.
        known: identities whose words somebody else has transcribed already.
        assistants: identities that speak for the other side.

    Raises:
        SpeechError: the engine can't.
        StorageError, OSError: the segments can't be read now.
    """
    entries: list[NewLogEntry] = []
    languages: list[str] = []
    with TrackFiles(temporary) as files:
        for track in await asyncio.to_thread(_extract, files, plan, read):
            if track.label.identity in known:
                continue
            role: Role = "assistant" if _is_assistant(track.label.identity, assistants) else "user"
            for voiced in await asyncio.to_thread(find_voice, track.samples, canceled):
                engine = await open_engine()
                recognized = await engine.recognize(np.array(track.samples[voiced[0] : voiced[1]], dtype=np.int16))
                if recognized.text:
                    entries.append(_entry(track, voiced, recognized, role))
                    languages += [] if recognized.language is None else [recognized.language]
    entries.sort(key=lambda entry: entry.start_ms or 0)
    return Heard(tuple(entries), _most_frequent(languages))


def _extract(files: TrackFiles, plan: BuildPlan, read: Callable[[str], bytes]) -> list[TrackAudio]:
    try:
        return files.extract(plan, read)
    except ImportError:
        raise SpeechError("speech.engine_missing", "speech recognition needs the extra parley[speech]") from None


def _is_assistant(identity: str, assistants: AbstractSet[str]) -> bool:
    return identity in assistants or identity.startswith(_AGENT_PREFIX)


def _entry(track: TrackAudio, voiced: Range, recognized: Recognized, role: Role) -> NewLogEntry:
    start_ms, end_ms = (sample * 1000 // SPEECH_RATE for sample in voiced)
    words: list[dict[str, Any]] = [
        {
            "text": word.text,
            "start_ms": start_ms + word.start_ms,
            "end_ms": min(start_ms + word.end_ms, end_ms),
            "confidence": word.confidence,
        }
        for word in recognized.words
    ]
    return NewLogEntry(
        kind="segment",
        role=role,
        text=recognized.text,
        source="speech",
        speaker=track.label.name or None,
        identity=track.label.identity or None,
        start_ms=words[0]["start_ms"] if words else start_ms,
        end_ms=words[-1]["end_ms"] if words else end_ms,
        confidence=recognized.confidence,
        words=words or None,
        external_id=f"{track.label.identity}/{track.label.sid}/{voiced[0]}",
    )


def _most_frequent(languages: Sequence[str]) -> str | None:
    return max(sorted(set(languages)), key=languages.count, default=None)
