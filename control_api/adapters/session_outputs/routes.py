"""`GET /v1/session/status`, `…/transcript` and `…/audio`: a session's state and what was made from it."""

import json

from aiohttp import web

from control_api.adapters.session_outputs.addressed_session import addressed_session
from control_api.adapters.session_outputs.models import AudioPayload, StatusPayload, TranscriptPayload
from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.recordings.routes import link_to_audio
from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.timestamps import format_timestamp
from store.objects.errors import ObjectMissing


async def get_status(call: Call) -> web.StreamResponse:
    """What the session is doing."""
    session = await addressed_session(call)
    return json_answer(
        StatusPayload(
            success=True,
            session_id=format_id("sess", session.id),
            type=call.query["type"],
            project_id=session.project_id,
            status=session.status.value,
            agent_id=session.agent_id,
            ws_url=None if session.transport is None else session.transport.url,
            created_at=format_timestamp(session.created_at),
            updated_at=format_timestamp(session.updated_at),
            completed_at=format_timestamp(session.finished_at),
        )
    )


async def get_transcript(call: Call) -> web.StreamResponse:
    """What `conversation.json` holds, once the session is over."""
    session = await addressed_session(call)
    name = format_id("sess", session.id)
    try:
        data = await call.dependencies.objects.get(f"sessions/{name}/conversation.json")
    except ObjectMissing:
        raise ParleyError("transcript.none", f"conversation.json not found for session {name}") from None
    return json_answer(TranscriptPayload(success=True, session_id=name, transcript=json.loads(data)))


async def get_audio(call: Call) -> web.StreamResponse:
    """Where `conversation.wav` can be read for about an hour."""
    session = await addressed_session(call)
    name = format_id("sess", session.id)
    try:
        link = await link_to_audio(call, session)
    except ParleyError as error:
        if error.code not in ("audio.none", "audio.not_ready"):
            raise
        raise ParleyError(error.code, f"Audio file not found for session {name}") from None
    answer = json_answer(AudioPayload(success=True, session_id=name, audio_url=link.url))
    answer.headers["Cache-Control"] = "no-store"
    return answer
