"""Follows one session that runs: what has been recorded since the last step becomes entries of its log."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import structlog

from audio.pcm import SAMPLE_RATE, SPEECH_RATE, Pcm
from audio.segments.track_tally import TrackLabel
from audio.track_audio import GrowingTracks, TrackPiece
from sessions.codes import lookup
from sessions.ids import format_id
from store.objects.objects import Objects
from store.outputs.live_transcripts import HeldSession
from store.sessions.log.session_log import SessionLog
from worker.outputs.product.segment_reader import SegmentReader
from worker.outputs.speech.engines.engine import Recognized, SpeechError
from worker.outputs.speech.listening import is_new, log_entry
from worker.outputs.speech.live.growing_segments import GrowingSegments
from worker.outputs.speech.logged_speech import LoggedSpeech
from worker.outputs.speech.utterances import TrackListener, Utterance
from worker.outputs.speech.voice_detector import VoiceModel
from worker.outputs.speech.voice_gate import VoiceGate

_log = structlog.get_logger(__name__)

_LIST_SECONDS = 2.0  # between two looks at the storage, where only that tells what is new
_LOCAL_LIST_SECONDS = 10.0
_LEARN_SECONDS = 1.0
_JITTER_SAMPLES = 3 * SAMPLE_RATE  # who is silent for so long has nothing under way
_UPLOAD_SAMPLES = 20 * SAMPLE_RATE  # the same of a recorder on another host, whose segments come in seconds
BEFORE_MS = 20_000  # whoever goes on begins that much earlier: longer than an utterance, and than audio is late

Recognize = Callable[[Pcm, str | None], Awaitable[Recognized]]


class LiveFollower:
    """One session's way from records to the log, step by step.

    Attributes:
        language: of the last utterance.
    """

    def __init__(
        self,
        session: HeldSession,
        spool: Path,
        objects: Objects,
        log: SessionLog,
        model: VoiceModel,
        recognize: Recognize,
        hearing: Executor,
    ) -> None:
        self.language: str | None = None
        self._session = session
        self._prefix = f"spool/{format_id('sess', session.id)}"
        self._objects = objects
        self._log = log
        self._model = model
        self._recognize = recognize
        self._hearing = hearing
        self._born = monotonic()
        self._known = LoggedSpeech(heard_ms=session.heard_ms)
        from_ms = max(session.heard_ms - BEFORE_MS, 0)
        self._segments = GrowingSegments(spool, session.id, from_ms * SAMPLE_RATE // 1000)
        self._tracks = GrowingTracks(self._is_wanted)
        self._listeners: dict[TrackLabel, TrackListener] = {}
        self._found: list[Utterance] = []  # and not in the log yet
        self._newest_sample = 0
        self._settled_ms = from_ms
        self._unsettled_ms: int | None = None  # the first that is left to the job that closes the transcript
        self._listed = self._learned = float("-inf")

    @property
    def heard_ms(self) -> int:
        """Whatever began before this is in the log, or there is nothing to log."""
        missed = self._tracks.missed_sample
        holes = [self._unsettled_ms, None if missed is None else missed * 1000 // SAMPLE_RATE]
        if self._segments.lost:
            holes.append(self._session.heard_ms)
        return max(min([self._settled_ms, *(hole for hole in holes if hole is not None)]), 0)

    async def step(self) -> None:
        """Hear what is new, and log what was said.

        Raises:
            SpeechError: the engine can't, for good.
            StorageError, DatabaseError, OSError: not now; call it again.
        """
        await self._list()
        await self._learn()
        loop = asyncio.get_running_loop()
        with SegmentReader(self._objects) as read:
            await loop.run_in_executor(self._hearing, self._hear, read)
        self._found.sort(key=lambda one: one.start_sample)
        while self._found:
            await self._settle(self._found[0])
            del self._found[0]
        self._settled_ms = max(self._earliest_ms(), self._settled_ms)

    async def _learn(self) -> None:
        """Take from the log what others have added."""
        if monotonic() - self._learned < _LEARN_SECONDS:
            return
        self._learned = monotonic()
        entries = await self._log.all(self._session.organization_id, self._session.id, after=self._known.seq)
        self._known = self._known.with_entries(entries)

    async def _list(self) -> None:
        pause = _LOCAL_LIST_SECONDS if self._segments.is_local and not self._segments.wants_stored else _LIST_SECONDS
        if monotonic() - self._listed >= pause:
            self._listed = monotonic()
            self._segments.note_stored(self._prefix, [key for key, _ in await self._objects.list(self._prefix)])

    def _hear(self, read: SegmentReader) -> None:
        """In a thread."""
        for new in self._segments.read(read):
            self._newest_sample = max([self._newest_sample, *(record.end_sample for record in new.records)])
            self._find(self._tracks.hear(new.key, new.records))
        if self._segments.is_caught_up:
            self._find(self._tracks.silent_until(self._horizon()))

    def _horizon(self) -> int:
        """Before which sample nothing more is expected."""
        now = round(self._now_ms() / 1000 * SAMPLE_RATE)
        slack = _JITTER_SAMPLES if self._segments.is_local else _UPLOAD_SAMPLES
        return max(now - slack, self._newest_sample - _JITTER_SAMPLES, 0)

    def _now_ms(self) -> float:
        return self._session.elapsed_ms + 1000 * (monotonic() - self._born)

    def _find(self, pieces: list[TrackPiece]) -> None:
        for piece in pieces:
            self._found += self._listener(piece.label).hear(piece)
            if piece.rests:
                self._found += self._listeners.pop(piece.label).finish()

    def _listener(self, label: TrackLabel) -> TrackListener:
        if label not in self._listeners:
            self._listeners[label] = TrackListener(label, VoiceGate(self._model, self._known.told(label)))
        return self._listeners[label]

    def _earliest_ms(self) -> int:
        horizon = self._horizon() * SPEECH_RATE // SAMPLE_RATE if self._segments.is_caught_up else 0
        earliest = min((listener.earliest for listener in self._listeners.values()), default=horizon)
        return earliest * 1000 // SPEECH_RATE

    def _is_wanted(self, label: TrackLabel) -> bool:
        return is_new(label, known=self._known)

    async def _settle(self, utterance: Utterance) -> None:
        await self._learn()
        if self._known.has(utterance) or not self._is_wanted(utterance.label):
            return
        asked_ms = self._now_ms()
        try:
            recognized = await self._recognize(utterance.pcm, self._session.language)
        except SpeechError as error:
            self._leave(utterance)
            if not lookup(error.code).retryable:
                raise
            _log.warning("live_transcript.not_recognized", session_id=self._name, code=error.code)
            return
        if not recognized.text and recognized.reason is None:
            return
        self.language = recognized.language or self.language
        entry, recognized_ms = log_entry(utterance, recognized, self._known), self._now_ms()
        since, until = self._time_of(utterance.start_ms), self._time_of(utterance.end_ms)
        if not await self._log.append_spoken(self._session.id, entry, since, until):
            self._leave(utterance)
        _log.debug(
            "live_transcript.logged",
            session_id=self._name,
            spoken_ms=utterance.end_ms - utterance.start_ms,
            found_after_ms=round(asked_ms) - utterance.end_ms,
            recognized_ms=round(recognized_ms - asked_ms),
            stored_ms=round(self._now_ms() - recognized_ms),
        )

    def _leave(self, utterance: Utterance) -> None:
        """The job that closes the transcript hears it again."""
        start_ms = utterance.start_ms
        self._unsettled_ms = start_ms if self._unsettled_ms is None else min(self._unsettled_ms, start_ms)

    def _time_of(self, at_ms: int) -> datetime:
        return self._session.started_at + timedelta(milliseconds=at_ms)

    @property
    def _name(self) -> str:
        return format_id("sess", self._session.id)
