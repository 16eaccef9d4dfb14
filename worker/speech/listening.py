"""From a recording's segments to log entries: tracks, voice, engine."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from audio.plan import BuildPlan
from audio.track_audio import TrackAudio, TrackFiles
from store.session_log import NewLogEntry, Role
from worker.speech.engine import Recognized, SpeechEngine, SpeechError
from worker.speech.utterances import Utterance, find_utterances

_AGENT_PREFIX = "agent-"  # how livekit-agents names its participants
_ENTRIES_AT_A_TIME = 20


@dataclass(frozen=True, slots=True)
class Known:
    """What needs no recognition, or not again.

    Attributes:
        transcribed: identities whose words somebody else has transcribed already.
        assistants: identities that speak for the other side.
        utterances: external ids of what an earlier attempt has logged.
    """

    transcribed: AbstractSet[str]
    assistants: AbstractSet[str]
    utterances: AbstractSet[str]


async def listen(
    plan: BuildPlan,
    read: Callable[[str], bytes],
    canceled: Event,
    open_engine: Callable[[], Awaitable[SpeechEngine]],
    keep: Callable[[Sequence[NewLogEntry]], Awaitable[object]],
    *,
    temporary: Path,
    known: Known,
) -> str | None:
    """Recognize every participant's own track, in the order of time.

    While the engine recognizes an utterance, the next one is looked for.

    Args:
        read: as `audio.build.build_recording` takes it.
        canceled: is set when this returns.
        open_engine: called as soon as there is something to recognize; loading a model takes seconds and memory.
        keep: called with what was recognized, some at a time, so that another attempt goes on from there.

    Returns:
        The language that most utterances were in; None when the engine doesn't say, or there were none.

    Raises:
        SpeechError: the engine can't.
        StorageError, OSError: the segments can't be read now.
    """
    languages: list[str] = []
    entries: list[NewLogEntry] = []
    heard_before: Utterance | None = None

    asked = False

    async def recognize(utterance: Utterance) -> Recognized:
        nonlocal asked
        asked = True
        recognized = await (await open_engine()).recognize(utterance.pcm())
        if recognized.text and recognized.language is not None:
            languages.append(recognized.language)
        return recognized

    with TrackFiles(temporary) as files:
        tracks = await asyncio.to_thread(_extract, files, plan, read)
        async with _Ahead(find_utterances([one for one in tracks if _is_new(one, known)], canceled), canceled) as ahead:
            try:
                while (utterance := await ahead.next()) is not None:
                    if utterance.external_id in known.utterances:
                        heard_before = utterance
                        continue
                    recognized = await recognize(utterance)
                    if recognized.text:
                        entries.append(_entry(utterance, recognized, known))
                    if len(entries) >= _ENTRIES_AT_A_TIME:
                        await keep(entries)
                        entries = []
            except SpeechError:
                await keep(entries)
                raise
            await keep(entries)
        if heard_before is not None and not asked:  # the log keeps no language
            await recognize(heard_before)
    return max(sorted(set(languages)), key=languages.count, default=None)


class _Ahead:
    """Utterances, of which a thread looks for the next one already; leaving the block waits for the thread."""

    def __init__(self, found: Iterator[Utterance], canceled: Event) -> None:
        self._found = found
        self._canceled = canceled

    async def next(self) -> Utterance | None:
        """The next one; None: there are no more."""
        utterance = await self._looking
        if utterance is not None:
            self._look()
        return utterance

    def _look(self) -> None:
        self._looking = asyncio.get_running_loop().run_in_executor(None, next, self._found, None)

    async def __aenter__(self) -> "_Ahead":
        self._look()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._canceled.set()
        await asyncio.wait([self._looking])
        if not self._looking.cancelled():
            self._looking.exception()  # that of the cancellation is nobody's business


def _extract(files: TrackFiles, plan: BuildPlan, read: Callable[[str], bytes]) -> list[TrackAudio]:
    try:
        return files.extract(plan, read)
    except ImportError:
        raise SpeechError("speech.engine_missing", "speech recognition needs the extra parley[speech]") from None


def _is_new(track: TrackAudio, known: Known) -> bool:
    return not track.label.identity or track.label.identity not in known.transcribed


def _entry(utterance: Utterance, recognized: Recognized, known: Known) -> NewLogEntry:
    label, start_ms, end_ms = utterance.track.label, utterance.start_ms, utterance.end_ms

    def placed(at_ms: int) -> int:
        return min(max(start_ms + at_ms, start_ms), end_ms)  # whatever an engine says

    words: list[dict[str, Any]] = [
        {
            "text": word.text,
            "start_ms": placed(word.start_ms),
            "end_ms": placed(max(word.start_ms, word.end_ms)),
            "confidence": word.confidence,
        }
        for word in recognized.words
    ]
    is_assistant = label.identity in known.assistants or label.identity.startswith(_AGENT_PREFIX)
    role: Role = "assistant" if is_assistant else "user"
    return NewLogEntry(
        kind="segment",
        role=role,
        text=recognized.text,
        source="speech",
        speaker=label.name or None,
        identity=label.identity or None,
        start_ms=words[0]["start_ms"] if words else start_ms,
        end_ms=max(word["end_ms"] for word in words) if words else end_ms,
        confidence=recognized.confidence,
        words=words or None,
        external_id=utterance.external_id,
    )
