"""One run of a summary: read the transcript, make its gist, store `summary.json`, tied to what was read."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog

from sessions.ids import format_id
from sessions.session import Session
from sessions.texts.transcript import Transcript, TranscriptSegment
from store.installation.storage_identity import Confirm
from store.objects.objects import Objects
from store.outputs.output_keys import SUMMARY, output_folder
from store.outputs.summaries import JobRun, Summaries
from store.outputs.transcripts import Transcripts
from store.sessions.queries import SessionQueries
from worker.outputs.leftovers import Leftovers
from worker.outputs.summary.summarizer import EMPTY, Gist, Summarizer, SummaryError

_log = structlog.get_logger(__name__)


class SummaryWriter:
    """Makes the summaries that `Summaries.request` asked for."""

    def __init__(
        self,
        summaries: Summaries,
        transcripts: Transcripts,
        sessions: SessionQueries,
        objects: Objects,
        confirm: Confirm,
        leftovers: Leftovers,
        summarizer: Summarizer,
    ) -> None:
        self._summaries = summaries
        self._transcripts = transcripts
        self._sessions = sessions
        self._objects = objects
        self._confirm = confirm
        self._leftovers = leftovers
        self._summarizer = summarizer

    async def summarize(self, session_id: UUID) -> None:
        """Make the summary that somebody waits for; a run that fails says why.

        Raises:
            StorageError, DatabaseUnavailableError: the run goes on when the job is run again.
        """
        await self._confirm()
        run = await self._summaries.begin(session_id)
        session = (await self._sessions.current([session_id])).get(session_id)
        if run is not None and run.waits:
            return
        async with self._leftovers.afterwards(session_id):
            if run is not None and session is not None:
                await self._make(session, run)

    async def _make(self, session: Session, run: JobRun) -> None:
        session_id = session.id
        transcript = await self._transcripts.read(session)
        if run.late:
            await self._summaries.fail(
                session_id, run.run_id, transcript.sha256, "internal", "the summary was not made in time"
            )
            return
        try:
            gist, summarizer = EMPTY, None
            understood = [segment for segment in transcript.segments if segment.reason is None]
            if understood:
                summarizer = self._summarizer
                gist = await summarizer.summarize(understood, transcript.language)
        except SummaryError as error:
            await self._summaries.fail(session_id, run.run_id, transcript.sha256, error.code, error.message)
            return
        document = summary_document(gist, transcript, summarizer, session.title)
        data = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
        key = f"{output_folder(session_id, SUMMARY, data, run.run_id)}/summary.json"
        await self._objects.put_bytes(key, data)
        await self._confirm()
        if await self._summaries.finish(session_id, run.run_id, transcript.sha256, key):
            _log.info("summary.stored", session_id=format_id("sess", session_id), engine=document["engine"])


def summary_document(
    gist: Gist, transcript: Transcript, summarizer: Summarizer | None, session_title: str | None
) -> dict[str, Any]:
    """The content of `summary.json`; `summarizer` is None if there was nothing to summarize."""
    return {
        "title": session_title or gist.title,
        "summary": gist.summary,
        "key_points": list(gist.key_points),
        "action_items": list(gist.action_items),
        "participants": _participants(transcript.segments),
        "talk_time_ms": _talk_time_ms(transcript.segments),
        "language": gist.language or transcript.language,
        "engine": None if summarizer is None else summarizer.name,
        "model": None if summarizer is None else summarizer.model,
        "transcript_sha256": transcript.sha256,
    }


def _participants(segments: Sequence[TranscriptSegment]) -> list[dict[str, Any]]:
    """Everybody who said or wrote something, in the order of their first words."""
    found: dict[str, dict[str, Any]] = {}
    for segment in segments:
        name = segment.identity or segment.who
        found.setdefault(name, {"identity": segment.identity, "speaker": segment.speaker, "role": segment.role})
    return list(found.values())


def _talk_time_ms(segments: Sequence[TranscriptSegment]) -> dict[str, int]:
    """How long each participant spoke, by identity."""
    spoken: defaultdict[str, int] = defaultdict(int)
    for segment in segments:
        if segment.was_spoken:
            spoken[segment.identity or segment.who] += segment.end_ms - segment.start_ms
    return dict(spoken)
