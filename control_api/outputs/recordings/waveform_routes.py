"""`GET …/waveform`: what a player draws."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from aiohttp import hdrs, web

from control_api.http.answers.entity_tag import is_unchanged
from control_api.http.requests.call import Call
from control_api.http.serving.bulk_reads import BulkReads
from control_api.http.serving.long_answer import long_answer
from control_api.http.serving.work_slices import WorkSlices
from control_api.outputs.recordings.routes import stored_recording
from control_api.outputs.recordings.waveform import Waveform, drawn
from sessions.errors import ParleyError
from sessions.ids import format_id
from store.objects.errors import ObjectMissing
from store.outputs.output_keys import beside

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
    waveform = await _read(call, beside(recording.object_key or "", "waveform.json"), pixels)
    pieces = _pieces(waveform, name, call.request.app[WAVEFORM_SLICES])
    return await long_answer(call, pieces, content_type="application/json", headers=headers, in_turns=False)


async def _read(call: Call, key: str, pixels: int | None) -> Waveform:
    async with call.request.app[WAVEFORM_READS].turn(call.organization_id):  # the whole of it is in memory here only
        try:
            document = await call.dependencies.objects.get(key)
        except ObjectMissing:
            raise ParleyError("audio.none", "the session has no waveform") from None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(call.request.app[WAVEFORM_THREAD], drawn, document, pixels)


async def _pieces(waveform: Waveform, session_id: str, slices: WorkSlices) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    for piece in waveform.json_pieces(session_id):
        yield piece
        began = await slices.rest(began)


async def waveform_thread(app: web.Application) -> AsyncIterator[None]:
    """One for all: what each of several threads had once held, malloc would keep for it."""
    with ThreadPoolExecutor(1, "waveforms") as thread:
        app[WAVEFORM_THREAD] = thread
        yield


WAVEFORM_THREAD = web.AppKey("waveform_thread", ThreadPoolExecutor)
WAVEFORM_READS = web.AppKey("waveform_reads", BulkReads)
WAVEFORM_SLICES = web.AppKey("waveform_slices", WorkSlices)
