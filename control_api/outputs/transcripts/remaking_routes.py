"""`POST …/transcript` and `GET …/transcript/run`: a transcript that is made anew, and how that went."""

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import RECORDING_FILES, TRANSCRIPT_VERSIONS, TRANSCRIPTS
from control_api.outputs.transcripts.models import TranscribeRequest, TranscriptRunResource
from sessions.errors import ParleyError, session_not_found
from sessions.ids import format_id
from sessions.session import Session
from sessions.texts.timestamps import format_timestamp
from store.outputs.recording_files import MIX
from store.outputs.transcript_versions import TranscriptRun

_RETRY_SECONDS = 2
_STORED = frozenset({"available", "incomplete"})


async def remake_transcript(call: Call) -> web.StreamResponse:
    """Start a run, unless one is going on."""
    body = TranscribeRequest() if call.body is None else call.body_as(TranscribeRequest)
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    await _check_ready(call, session)
    run = await call.request.app[TRANSCRIPT_VERSIONS].request(session.id, body.engine, body.language)
    if run is None:
        raise session_not_found()
    return json_answer(_present(run), status=202)


async def get_transcript_run(call: Call) -> web.StreamResponse:
    """The last run as it is; nothing is started."""
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    run = await call.request.app[TRANSCRIPT_VERSIONS].last(session.id)
    if run is None:
        raise ParleyError("transcript.none", "the transcript was never made anew")
    return json_answer(_present(run))


async def _check_ready(call: Call, session: Session) -> None:
    """Whether there is something to hear.

    Raises:
        ParleyError: `transcript.not_ready`, `audio.not_ready`, `audio.none`.
    """
    first = await call.request.app[TRANSCRIPTS].head(session, 1)
    if first is None or first.state in ("open", "pending"):
        extra = {"retry_after_seconds": _RETRY_SECONDS}
        raise ParleyError("transcript.not_ready", "the transcript is not closed yet", extra=extra)
    if session.recording_state not in _STORED:
        raise ParleyError("audio.none", "the session has no recording")
    for file in await call.request.app[RECORDING_FILES].of(session.id):
        if file.identity != MIX and file.format == "wav" and file.state == "pending":
            extra = {"retry_after_seconds": _RETRY_SECONDS}
            raise ParleyError("audio.not_ready", "the participants' files are being made", extra=extra)


def _present(run: TranscriptRun) -> TranscriptRunResource:
    return TranscriptRunResource.model_validate(
        {
            "object": "transcript_run",
            "session_id": format_id("sess", run.session_id),
            "run_id": format_id("run", run.run_id),
            "status": run.state,
            "version": run.version,
            "engine": run.engine,
            "language": run.language,
            "audio": run.audio,
            "requested_at": format_timestamp(run.requested_at),
            "finished_at": format_timestamp(run.finished_at),
            "error": None if run.code is None else {"code": run.code, "message": run.message},
        }
    )
