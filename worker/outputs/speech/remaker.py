"""Makes the transcript of a finished session anew from what is kept of it: participants' files, else the mix.

Only a transcript that is whole becomes a version. One that is made but not served yet is served by the next attempt.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import structlog

from audio.file_tracks import read_files
from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece
from sessions.codes import lookup
from sessions.ids import format_id
from sessions.session import Session
from sessions.settings import Settings
from sessions.texts.transcript import Transcript, TranscriptHead, TranscriptSegment
from sessions.texts.transcript_document import transcript_document
from store.installation.storage_identity import Confirm
from store.objects.objects import Objects
from store.outputs.output_keys import TRANSCRIPT, output_folder
from store.outputs.recording_files import RecordingFiles
from store.outputs.transcript_versions import Audio, MadeVersion, RunWork, TranscriptVersions
from store.outputs.transcripts import Transcripts
from store.sessions.log.session_log import NewLogEntry, SessionLog
from store.sessions.queries import SessionQueries
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.stored_file import stored_file
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.engines.engine import SpeechError
from worker.outputs.speech.listening import is_new, listen
from worker.outputs.speech.logged_speech import LoggedSpeech

_log = structlog.get_logger(__name__)

_MOST_ATTEMPTS = 20
_HEARD_OF_SOMEBODY = 0.2  # of a stretch of the mix: less is an interjection, or an edge


@dataclass(frozen=True, slots=True)
class RemakingStore:
    """What a remaker reads and writes."""

    versions: TranscriptVersions
    transcripts: Transcripts
    files: RecordingFiles
    sessions: SessionQueries
    log: SessionLog
    objects: Objects
    confirm: Confirm
    leftovers: Leftovers


@dataclass(frozen=True, slots=True)
class _Source:
    """What is heard: labels and paths."""

    audio: Audio
    files: Sequence[tuple[TrackLabel, Path]]


class TranscriptRemaker:
    """Does the runs that `TranscriptVersions.request` starts. `temporary` is a folder for copies of recordings."""

    def __init__(self, store: RemakingStore, settings: Settings, engines: SpeechEngines, *, temporary: Path) -> None:
        self._store = store
        self._settings = settings
        self._engines = engines
        self._temporary = temporary

    async def remake(self, session_id: UUID) -> None:
        """Make the version that somebody waits for; a run that fails says why.

        Raises:
            SpeechError, StorageError, DatabaseUnavailableError, OSError: nothing is lost, try again.
        """
        store = self._store
        await store.confirm()
        work = await store.versions.begin(session_id, self._settings.speech_deadline_seconds)
        async with store.leftovers.afterwards(session_id):
            if work is not None:
                await self._make(work)

    async def _make(self, work: RunWork) -> None:
        store = self._store
        head = work.kept
        if head is None:
            try:
                made = await self._hear(work)
            except SpeechError as error:
                if lookup(error.code).retryable and work.attempts < _MOST_ATTEMPTS and not work.late:
                    raise
                await store.versions.fail(work.run, error.code, error.message)
                return
            await store.confirm()
            if not await store.versions.keep(work.run, made):
                return
            head = TranscriptHead(
                state="available",
                engine=made.engine,
                model=made.model,
                language=made.language,
                version=work.run.version,
            )
        await self._serve(work, head)

    async def _hear(self, work: RunWork) -> MadeVersion:
        if work.late or work.attempts > _MOST_ATTEMPTS:
            raise SpeechError("speech.deadline", "speech was not recognized in time")
        session = work.session
        engines = self._engines_of(work.run.engine)
        logged = await self._store.log.all(session.organization_id, session.id)
        transcribed_by_others = LoggedSpeech().with_entries([one for one in logged if one.source != "speech"])
        entries: list[NewLogEntry] = []

        async def keep(found: Sequence[NewLogEntry]) -> None:
            entries.extend(found)

        canceled = Event()
        first = await self._store.transcripts.head(session, 1)
        heard_first = await self._store.transcripts.segments(session, first) if first is not None else []
        spoken = [one for one in heard_first if one.was_spoken]
        speakers = {one.identity: one.speaker for one in spoken if one.identity and one.speaker}
        async with self._source(session, transcribed_by_others, speakers) as source:
            language = await listen(
                _until(canceled, source.files),
                canceled,
                engines.open,
                keep,
                known=transcribed_by_others,
                language=work.run.language or session.transcription.language,
            )
        segments = [_segment(entry) for entry in entries]
        if source.audio == "mix":
            segments = [_attributed(segment, spoken) for segment in segments]
        return MadeVersion(engines.name, engines.model, language, source.audio, segments)

    def _engines_of(self, name: str | None) -> SpeechEngines:
        """The installation's engine, or the one that was asked for, with its own default model."""
        engines = self._engines
        if name is not None and name != engines.name:
            engines = SpeechEngines(self._settings.model_copy(update={"speech_engine": name, "speech_model": None}))
        if engines.name == "none":
            raise SpeechError("speech.engine_missing", "this installation has no speech engine: name one")
        return engines

    @asynccontextmanager
    async def _source(
        self, session: Session, known: LoggedSpeech, speakers: Mapping[str, str]
    ) -> AsyncIterator[_Source]:
        recording = await self._store.sessions.recording(session.organization_id, session.id)
        identities = {track["identity"] for track in recording.tracks or () if track["side"] == "room"}
        tracks = [
            (TrackLabel(file.identity, sid="file", speaker=speakers.get(file.identity, "")), file.object_key)
            for file in await self._store.files.of(session.id)
            if file.format == "wav" and file.identity in identities
            if file.state == "available" and file.object_key is not None
        ]
        audio: Audio = "tracks" if session.recording.tracks and len(tracks) == len(identities) else "mix"
        if audio == "mix":
            if recording.object_key is None:
                raise SpeechError("speech.audio_missing", "the session's audio is not kept")
            if known.transcribed & identities:
                raise SpeechError(
                    "speech.audio_missing", "an agent speaks in the mix, and there is no file of each participant"
                )
            tracks = [(TrackLabel(), recording.object_key)]
        async with AsyncExitStack() as stack:
            wanted = [(label, key) for label, key in tracks if is_new(label, known=known)]
            files = []
            for label, key in wanted:
                stored = stored_file(self._store.objects, key, self._temporary)
                files.append((label, await stack.enter_async_context(stored)))
            yield _Source(audio, files)

    async def _serve(self, work: RunWork, head: TranscriptHead) -> None:
        """Put the new version where readers of files look, then where those of the API do.

        Until both are done the run goes on, so that whatever fails in between is done again.
        """
        name = format_id("sess", work.session.id)
        segments = await self._store.transcripts.segments(work.session, head)
        known = {field.name: getattr(head, field.name) for field in fields(head)}
        document = transcript_document(name, Transcript(**known, segments=segments, sha256=""))
        data = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
        key = f"{output_folder(work.session.id, TRANSCRIPT, data, work.run.run_id)}/conversation.json"
        await self._store.objects.put_bytes(key, data)
        await self._store.confirm()  # it lies in the right storage
        if await self._store.versions.finish(work.run, key):
            _log.info("transcript.remade", session_id=name, version=head.version, engine=head.engine)


def _until(canceled: Event, files: Sequence[tuple[TrackLabel, Path]]) -> Iterator[list[TrackPiece]]:
    for pieces in read_files(files):
        if canceled.is_set():
            raise OSError("the reading of recordings was canceled")
        yield pieces


def _segment(entry: NewLogEntry) -> dict[str, Any]:
    return {
        "speaker": entry.speaker,
        "identity": entry.identity,
        "role": entry.role,
        "text": entry.text,
        "reason": entry.reason,
        "start_ms": entry.start_ms or 0,
        "end_ms": entry.end_ms or 0,
        "confidence": entry.confidence,
        "words": entry.words,
    }


def _attributed(segment: dict[str, Any], spoken: Sequence[TranscriptSegment]) -> dict[str, Any]:
    """Whose stretch of the mix this is: of the one who was heard then on a track of their own; of several, nobody's."""
    start, end = segment["start_ms"], segment["end_ms"]
    least_ms = _HEARD_OF_SOMEBODY * (end - start)
    heard = [one for one in spoken if min(one.end_ms, end) - max(one.start_ms, start) > least_ms]
    if len({one.identity for one in heard}) != 1:
        return segment
    return {**segment, "identity": heard[0].identity, "speaker": heard[0].speaker, "role": heard[0].role}
