"""`GET …/waveform`: what a player draws."""

import asyncio
import json

from aiohttp import hdrs, web

from control_api.http.answers.entity_tag import is_unchanged
from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.recordings.models import WaveformResource
from control_api.recordings.routes import stored_recording
from control_api.recordings.waveform import drawn
from sessions.errors import ParleyError
from sessions.ids import format_id
from store.objects.errors import ObjectMissing

_TAG_DIGITS = 32


async def get_waveform(call: Call) -> web.StreamResponse:
    """Peaks and levels; 304 where the client has them, which is as long as the recording is there."""
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    recording = await stored_recording(call, session)
    pixels: int | None = call.query["pixels"]
    tag = f"{(recording.sha256 or '')[:_TAG_DIGITS]}-{pixels or 'all'}"
    headers: dict[str, str] = {hdrs.ETAG: f'"{tag}"', hdrs.CACHE_CONTROL: "private, no-cache"}
    if is_unchanged(call.request, tag):
        return web.Response(status=304, headers=headers)
    name = format_id("sess", session.id)
    try:
        document = json.loads(await call.dependencies.objects.get(f"sessions/{name}/waveform.json"))
    except ObjectMissing:
        raise ParleyError("audio.none", "the session has no waveform") from None
    found = await asyncio.to_thread(drawn, document, pixels)
    resource = WaveformResource.model_validate({"object": "waveform", "session_id": name, "bits": 8, **found})
    return json_answer(resource, headers=headers)
