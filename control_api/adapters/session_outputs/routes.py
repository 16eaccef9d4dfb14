"""`GET /v1/session/status`, `…/transcript` and `…/audio`: a session's state and what was made from it."""

from collections.abc import AsyncGenerator

from aiohttp import web

from control_api.adapters.session_outputs.addressed_session import addressed_session
from control_api.adapters.session_outputs.models import AudioPayload, StatusPayload, TranscriptPayload
from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import TRANSCRIPTS
from control_api.http.serving.long_answer import long_answer
from control_api.outputs.recordings.routes import link_to_audio
from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.objects.errors import ObjectMissing, StorageError
from store.objects.objects import ObjectFacts, Objects

_BLOCK_BYTES = 128 << 10
_END_BYTES = 16


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
    key = await call.request.app[TRANSCRIPTS].object_key(session.id)
    try:
        if key is None:
            raise ObjectMissing
        facts = await call.dependencies.objects.facts(key)
    except ObjectMissing:
        raise ParleyError("transcript.none", f"conversation.json not found for session {name}") from None
    empty = to_json(TranscriptPayload(success=True, session_id=name, transcript=None))
    pieces = _around(empty.removesuffix(b"null}"), call.dependencies.objects, key, facts)
    return await long_answer(call, pieces, content_type="application/json", in_turns=False)


async def _around(head: bytes, objects: Objects, key: str, facts: ObjectFacts) -> AsyncGenerator[bytes, None]:
    """The answer with the object in it; it breaks off when that becomes another one meanwhile.

    Raises:
        ValueError: the object is no whole document.
    """
    end = await objects.read_range(key, max(0, facts.size - _END_BYTES), facts.size)
    if not end.rstrip().endswith(b"}"):
        raise ValueError("conversation.json is cut off")
    yield head
    for start in range(0, facts.size, _BLOCK_BYTES):
        yield await objects.read_range(key, start, min(start + _BLOCK_BYTES, facts.size))
    now = await objects.facts(key)
    if (now.etag, now.size) != (facts.etag, facts.size):
        raise StorageError("storage.unavailable", "the transcript was made anew while it was read")
    yield b"}"


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
