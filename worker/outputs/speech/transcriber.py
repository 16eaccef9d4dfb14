"""Transcribes a session that is over: recognizes its speech, writes `conversation.json`, asks for a summary.

It may be run again whatever went wrong: it goes on where the log ends, which takes each entry once, and nothing once
the transcript is closed. Two that close it leave two files, of which one is noted and the other one removed. The
segments are removed when nobody needs them any more. A session's end waits for none of this.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

import structlog

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range
from audio.segments.gaps import unnamed_ms
from audio.segments.plan import BuildPlan
from audio.track_audio import read_tracks
from sessions.codes import lookup
from sessions.ids import format_id
from sessions.session import Session
from sessions.texts.transcript_document import transcript_document
from store.installation.storage_identity import Confirm
from store.objects.objects import Objects
from store.outputs.freeze import Freezes
from store.outputs.live_transcripts import LiveTranscripts
from store.outputs.output_keys import TRANSCRIPT, output_folder
from store.outputs.transcripts import Closing, Transcripts, TranscriptWork
from store.sessions.log.session_log import NewLogEntry, SessionLog
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.recording_plan import recording_plan
from worker.outputs.product.segment_reader import SegmentReader
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.engines.engine import SpeechError
from worker.outputs.speech.listening import is_new, listen
from worker.outputs.speech.live.follower import BEFORE_MS
from worker.outputs.speech.logged_speech import LoggedSpeech

_log = structlog.get_logger(__name__)

_STORED = frozenset({"available", "incomplete"})
_MOST_ATTEMPTS = 20


class _ClosedElsewhereError(Exception):
    """Another process has closed the transcript, or the session was erased: what this one hears is not wanted."""


class Transcriber:
    """Closes transcripts."""

    def __init__(
        self,
        transcripts: Transcripts,
        freezes: Freezes,
        log: SessionLog,
        objects: Objects,
        confirm: Confirm,
        engines: SpeechEngines,
        live: LiveTranscripts,
        leftovers: Leftovers,
        *,
        deadline_seconds: float,
    ) -> None:
        self._transcripts = transcripts
        self._freezes = freezes
        self._log = log
        self._objects = objects
        self._confirm = confirm
        self._engines = engines
        self._live = live
        self._leftovers = leftovers
        self._deadline_seconds = deadline_seconds

    async def transcribe(self, session_id: UUID) -> None:
        """Close the transcript of a session, unless that is done.

        Raises:
            SpeechError, StorageError, DatabaseUnavailableError, OSError: nothing is lost, try again.
        """
        await self._confirm()
        work = await self._transcripts.begin(session_id, self._deadline_seconds)
        async with self._leftovers.afterwards(session_id):
            try:
                if work is not None:
                    await self._close(work)
            except _ClosedElsewhereError:
                _log.info("transcript.closed_elsewhere", session_id=format_id("sess", session_id))

    async def _close(self, work: TranscriptWork) -> None:
        session = work.session
        closing = await self._hear(work) if self._has_speech(session) else Closing()
        key, written = await self._write(session, closing)
        await self._confirm()  # what was heard and written lies in the right storage
        if await self._transcripts.close(session.id, closing, key, summarize=written > 0):
            name = format_id("sess", session.id)
            _log.info("transcript.closed", session_id=name, segments=written, engine=closing.engine, code=closing.code)

    def _has_speech(self, session: Session) -> bool:
        """Whether there is speech to recognize and an engine to do it."""
        return (
            session.kind == "voice"
            and session.transcription.mode != "off"
            and session.quality != "mock"
            and session.recording_state in _STORED
            and self._engines.name != "none"
        )

    async def _hear(self, work: TranscriptWork) -> Closing:
        if work.late or work.attempts > _MOST_ATTEMPTS:
            return Closing(code="speech.deadline", message="speech was not recognized in time")
        try:
            return await self._recognize(work.session)
        except SpeechError as error:
            if lookup(error.code).retryable and work.attempts < _MOST_ATTEMPTS:
                await self._transcripts.note_failure(work.session.id, error.code, error.message)
                raise
            return Closing(code=error.code, message=error.message)

    async def _recognize(self, session: Session) -> Closing:
        frozen = await self._freezes.frozen(session.id)
        if frozen is None:
            return Closing()
        logged = await self._log.all(session.organization_id, session.id)
        heard = await self._live.heard(session.id)
        known = LoggedSpeech(heard_ms=heard.heard_ms).with_entries(logged)
        lost: list[Range] = []
        whole = recording_plan(frozen)
        with SegmentReader(self._objects) as read:
            plan = _from(whole, heard.heard_ms - BEFORE_MS)
            language = await listen(
                read_tracks(plan, read, partial(is_new, known=known), lost),
                read.canceled,
                self._engines.open,
                partial(self._keep, session.id),
                known=known,
                language=session.transcription.language,
                spoken=heard.language,
            )
        closing = Closing(engine=self._engines.name, model=self._engines.model or heard.model, language=language)
        committed = await self._freezes.committed(session.id)
        lost_ms = unnamed_ms(_since(lost, heard.heard_ms), whole.left_out, committed.gaps)
        if lost_ms == 0:
            return closing
        message = f"{lost_ms} ms that the recording has could not be read back"
        return replace(closing, code="speech.audio_lost", message=message)

    async def _keep(self, session_id: UUID, entries: Sequence[NewLogEntry]) -> None:
        if entries and not await self._log.append_recognized(session_id, entries):
            raise _ClosedElsewhereError

    async def _write(self, session: Session, closing: Closing) -> tuple[str, int]:
        """Store `conversation.json`; returns its key, and how many segments are in it."""
        transcript = replace(
            await self._transcripts.read(session),
            state="available" if closing.code is None else "incomplete",
            engine=closing.engine,
            model=closing.model,
            language=closing.language,
            code=closing.code,
            message=closing.message,
        )
        document = transcript_document(format_id("sess", session.id), transcript)
        data = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
        key = f"{output_folder(session.id, TRANSCRIPT, data)}/conversation.json"
        await self._objects.put_bytes(key, data)
        return key, len(transcript.segments)


def _since(lost: Sequence[Range], start_ms: int) -> list[Range]:
    """What of it nobody heard before."""
    return [(max(start, start_ms * SAMPLE_RATE // 1000), end) for start, end in lost]


def _from(plan: BuildPlan, start_ms: int) -> BuildPlan:
    """The same plan without segments that end before: what they hold was recognized while the session ran."""
    start = start_ms * SAMPLE_RATE // 1000
    return replace(plan, segments=tuple(one for one in plan.segments if one.key.last_sample > start))
