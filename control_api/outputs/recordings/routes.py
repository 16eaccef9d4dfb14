"""`GET …/recording`, `GET …/audio`, and the signed `GET /v1/objects/{key}` behind it."""

from pathlib import PurePosixPath

from aiohttp import hdrs, web

from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.answers.public_address import location
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import RECORDING_FILES
from control_api.outputs.recordings.file_answer import file_answer
from control_api.outputs.recordings.links import LINKS, Link
from control_api.outputs.recordings.models import AudioLink
from control_api.outputs.recordings.object_stream import stream_object
from control_api.outputs.recordings.presenter import present_recording
from sessions.audio_formats import MEDIA_TYPES, AudioFormat
from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import TERMINAL
from sessions.session import Session
from sessions.texts.file_name import content_disposition, recording_file_name
from sessions.texts.timestamps import format_timestamp
from store.outputs.recording_files import MIX
from store.sessions.queries import Recording

_MEDIA_TYPES = {f".{form}": media_type for form, media_type in MEDIA_TYPES.items()}
_STORED = frozenset({"available", "incomplete"})
# In Retry-After: how fast the slowest form is made, and bounds of what is told.
_TIMES_REAL_TIME = 40
_LONGEST_SECONDS = 60
_UNFINISHED_SECONDS = 2


async def get_recording(call: Call) -> web.StreamResponse:
    """State and facts of the recording."""
    queries = call.dependencies.sessions.queries
    recording = await queries.recording(call.organization_id, call.session_id, names=True)
    files = await call.request.app[RECORDING_FILES].of(call.session_id)
    return json_answer(present_recording(recording, files))


async def get_audio(call: Call) -> web.StreamResponse:
    """Where the recording can be read for about an hour, in the form and of whom it is asked for: 302, or in a body."""
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    link = await link_to_audio(call, session, call.query["format"], call.query["identity"] or MIX)
    content = AudioLink(
        object="audio_link",
        session_id=format_id("sess", session.id),
        url=link.url,
        expires_at=format_timestamp(link.expires_at) or "",
    )
    follows: bool = call.query["redirect"] == "true"
    return web.Response(
        status=302 if follows else 200,
        body=to_json(content),
        content_type="application/json",
        headers={**(location(link.url) if follows else {}), hdrs.CACHE_CONTROL: "no-store"},
    )


async def link_to_audio(call: Call, session: Session, form: AudioFormat = "wav", identity: str = MIX) -> Link:
    """Where a file of the session's recording can be read for about an hour; one that isn't there yet is made.

    Raises:
        ParleyError: `audio.not_ready`, `audio.none`.
    """
    recording = await stored_recording(call, session)
    key = recording.object_key
    assert key is not None
    if form != "wav" and recording.duration_ms == 0:
        raise ParleyError("audio.none", "the recording is empty, so there is only the WAV file", param="format")
    if (form, identity) != ("wav", MIX):
        file = await call.request.app[RECORDING_FILES].request(session.id, identity, form)
        if file is None or file.state == "failed":
            raise ParleyError("audio.none", "the recording has no file of that participant", param="identity")
        if file.object_key is None:
            seconds = (recording.duration_ms or 0) / 1000 / _TIMES_REAL_TIME
            raise _not_ready("the file is being made", min(1 + int(seconds), _LONGEST_SECONDS))
        key = file.object_key
    name = recording_file_name(session.title, session.started_at, form, identity or None)
    return await call.request.app[LINKS].link(key, name)


async def stored_recording(call: Call, session: Session) -> Recording:
    """The recording of the session, once it is stored.

    Raises:
        ParleyError: `audio.not_ready`, `audio.none`.
    """
    if session.recording_state not in _STORED:
        if session.status not in TERMINAL:
            raise _not_ready("the recording is not finished yet", _UNFINISHED_SECONDS)
        raise ParleyError("audio.none", "the session has no recording")
    recording = await call.dependencies.sessions.queries.recording(call.organization_id, session.id)
    if recording.object_key is None:
        raise ParleyError("audio.none", "the session has no recording")
    return recording


def _not_ready(message: str, seconds: int) -> ParleyError:
    return ParleyError("audio.not_ready", message, extra={"retry_after_seconds": seconds})


async def get_object(call: Call) -> web.StreamResponse:
    """The bytes behind a signed link, ranges included (RFC 9110 §14); the signature is the permission."""
    request = call.request
    key = request.match_info["key"]
    name = call.query["name"] or ""
    await request.app[LINKS].check(key, call.query["expires"] or "", call.query["signature"] or "", name)
    headers: dict[str, str] = {
        hdrs.CONTENT_TYPE: _MEDIA_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream"),
        hdrs.CONTENT_DISPOSITION: content_disposition(name),
        hdrs.CACHE_CONTROL: "private, no-store",
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
