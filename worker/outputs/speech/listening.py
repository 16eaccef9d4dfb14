"""From a recording's segments to log entries: tracks, voice, engine."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece
from store.objects.errors import StorageError
from store.sessions.log.session_log import NewLogEntry, Role
from worker.outputs.speech.engines.engine import Recognized, SpeechEngine, SpeechError
from worker.outputs.speech.logged_speech import LoggedSpeech
from worker.outputs.speech.utterances import Utterance, find_utterances

_AGENT_PREFIX = "agent-"  # how livekit-agents names its participants
_ENTRIES_AT_A_TIME = 20
_UTTERANCES_AHEAD = 8  # half a megabyte each; enough to keep the engine busy while the next long one is found


async def listen(
    tracks: Iterator[list[TrackPiece]],
    canceled: Event,
    open_engine: Callable[[], Awaitable[SpeechEngine]],
    keep: Callable[[Sequence[NewLogEntry]], Awaitable[object]],
    *,
    known: LoggedSpeech,
    language: str | None = None,
    spoken: str | None = None,
) -> str | None:
    """Recognize every participant's own track, in the order of time.

    While the engine recognizes an utterance, the tracks are read on and the next ones are looked for.

    Args:
        tracks: as `audio.track_audio.read_tracks` yields them; it raises OSError once `canceled` is set.
        canceled: is set when this returns.
        open_engine: called as soon as there is something to recognize; loading a model takes seconds and memory.
        language: what is spoken, as BCP 47; None: the engine finds out.
        spoken: the language of what is logged, if that is known.
        keep: called with what was recognized, a few at a time; another attempt goes on from there.

    Returns:
        The language of most utterances, else `spoken`; None when the engine names none, or there were no utterances.

    Raises:
        SpeechError: the engine can't.
        StorageError, OSError: the tracks can't be read now.
    """
    languages: list[str] = []
    entries: list[NewLogEntry] = []
    heard_before: Utterance | None = None
    asked = False

    async def recognize(utterance: Utterance) -> Recognized:
        nonlocal asked
        asked = True
        recognized = await (await open_engine()).recognize(utterance.pcm, language)
        if recognized.text and recognized.language is not None:
            languages.append(recognized.language)
        return recognized

    async with _Ahead(find_utterances(tracks, known.told), canceled) as ahead:
        try:
            async for utterance in ahead:
                if known.has(utterance):
                    heard_before = utterance
                    continue
                recognized = await recognize(utterance)
                if recognized.text or recognized.reason is not None:
                    entries.append(log_entry(utterance, recognized, known))
                if len(entries) >= _ENTRIES_AT_A_TIME:
                    await keep(entries)
                    entries = []
        except (SpeechError, StorageError, OSError):
            await keep(entries)
            raise
        await keep(entries)
    if heard_before is not None and not asked and spoken is None:  # the log does not keep the languages
        await recognize(heard_before)
    return max(sorted(set(languages)), key=languages.count, default=spoken)


class _Ahead:
    """Utterances, which a thread finds a few ahead of their reader; leaving the block waits for the thread."""

    def __init__(self, found: Generator[Utterance, None, None], canceled: Event) -> None:
        self._found = found
        self._canceled = canceled
        self._thread = ThreadPoolExecutor(1, "utterances")
        self._looks: deque[asyncio.Future[Utterance | None]] = deque()

    def __aiter__(self) -> "_Ahead":
        return self

    async def __anext__(self) -> Utterance:
        utterance = await self._looks.popleft()
        if utterance is None:
            raise StopAsyncIteration
        self._look()
        return utterance

    def _look(self) -> None:
        self._looks.append(asyncio.get_running_loop().run_in_executor(self._thread, next, self._found, None))

    async def __aenter__(self) -> "_Ahead":
        for _ in range(_UTTERANCES_AHEAD):
            self._look()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._canceled.set()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        if self._looks:
            await asyncio.wait(self._looks)
        for look in self._looks:
            if not look.cancelled():
                look.exception()  # retrieved and dropped: it only says that the look was canceled
        self._found.close()


def is_new(label: TrackLabel, *, known: LoggedSpeech) -> bool:
    """Whether nobody else transcribes that participant."""
    return not label.identity or label.identity not in known.transcribed


def log_entry(utterance: Utterance, recognized: Recognized, known: LoggedSpeech) -> NewLogEntry:
    """What the log is to keep of an utterance."""
    label, start_ms, end_ms = utterance.label, utterance.start_ms, utterance.end_ms

    def placed(at_ms: int) -> int:
        return min(max(start_ms + at_ms, start_ms), end_ms)  # an engine may name times outside its utterance

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
        speaker=label.speaker or None,
        identity=label.identity or None,
        start_ms=words[0]["start_ms"] if words else start_ms,
        end_ms=max(word["end_ms"] for word in words) if words else end_ms,
        confidence=recognized.confidence,
        words=words or None,
        external_id=utterance.external_id,
        reason=recognized.reason,
    )
