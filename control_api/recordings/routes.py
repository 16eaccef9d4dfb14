"""`GET …/recording`, `GET …/audio`, and the signed `GET /v1/objects/{key}` behind it."""

from pathlib import PurePosixPath

from aiohttp import hdrs, web

from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.answers.public_address import location
from control_api.http.requests.call import Call
from control_api.recordings.file_answer import file_answer
from control_api.recordings.links import LINK_SECONDS, LINKS, Link
from control_api.recordings.models import AudioLink
from control_api.recordings.object_stream import stream_object
from control_api.recordings.presenter import present_recording
from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import TERMINAL
from sessions.session import Session
from sessions.timestamps import format_timestamp

_STORED = frozenset({"available", "incomplete"})


async def get_recording(call: Call) -> web.StreamResponse:
    """State and facts of the recording."""
    recording = await call.dependencies.sessions.queries.recording(call.organization_id, call.session_id)
    return json_answer(present_recording(recording))


async def get_audio(call: Call) -> web.StreamResponse:
    """302 to where `conversation.wav` can be read for about an hour."""
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    link = await link_to_audio(call, session)
    content = AudioLink(
        object="audio_link",
        session_id=format_id("sess", session.id),
        url=link.url,
        expires_at=format_timestamp(link.expires_at) or "",
    )
    return web.Response(
        status=302,
        body=to_json(content),
        content_type="application/json",
        headers={**location(link.url), hdrs.CACHE_CONTROL: "no-store"},
    )


async def link_to_audio(call: Call, session: Session) -> Link:
    """Where the session's `conversation.wav` can be read for about an hour.

    Raises:
        ParleyError: `audio.not_ready`, `audio.none`.
    """
    if session.recording_state not in _STORED:
        if session.status not in TERMINAL:
            raise ParleyError("audio.not_ready", "the recording is not finished yet")
        raise ParleyError("audio.none", "the session has no recording")
    recording = await call.dependencies.sessions.queries.recording(call.organization_id, session.id)
    if recording.object_key is None:
        raise ParleyError("audio.none", "the session has no recording")
    return await call.request.app[LINKS].link(recording.object_key)


async def get_object(call: Call) -> web.StreamResponse:
    """The bytes behind a signed link, ranges included (RFC 9110 §14); the signature is the permission."""
    request = call.request
    key = request.match_info["key"]
    await request.app[LINKS].check(key, call.query["expires"] or "", call.query["signature"] or "")
    name = PurePosixPath(key)
    headers: dict[str, str] = {
        hdrs.CONTENT_TYPE: "audio/wav" if name.suffix == ".wav" else "application/octet-stream",
        hdrs.CONTENT_DISPOSITION: f'inline; filename="{name.name}"',
        hdrs.CACHE_CONTROL: f"private, max-age={LINK_SECONDS}",
    }
    if not call.dependencies.objects.is_local:
        return await stream_object(request, call.dependencies.objects, key, headers)
    try:
        path = call.dependencies.objects.local_path(key)
    except ValueError:
        path = None
    if path is None or not path.is_file():
        raise ParleyError("not_found", "the object is gone")
    return file_answer(request, path, headers)
