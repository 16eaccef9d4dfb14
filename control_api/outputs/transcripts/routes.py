"""`GET …/transcript`: JSON, WebVTT, SubRip or plain text, by `Accept`; sent while it is read."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

from aiohttp import hdrs, web

from control_api.http.answers.json_answer import to_json
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import TRANSCRIPTS
from control_api.http.serving.long_answer import long_answer
from control_api.outputs.transcripts.formats import PlainText, SubRip, TextWriter, WebVtt
from control_api.outputs.transcripts.models import TranscriptResource, TranscriptSegment
from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.texts.transcript import TranscriptSegment as Segment
from sessions.texts.transcript_document import head_document, segment_document

JSON = "application/json"
FORMATS: dict[str, Callable[[], TextWriter]] = {
    "text/vtt": WebVtt,
    "application/x-subrip": SubRip,
    "text/plain": PlainText,
}


async def get_transcript(call: Call) -> web.StreamResponse:
    """The transcript as far as it has come, or one of its versions."""
    media_type = accepted_media_type(call.request.headers, (JSON, *FORMATS))
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    transcripts = call.request.app[TRANSCRIPTS]
    head = await transcripts.head(session, call.query["version"])
    if head is None:
        raise ParleyError("transcript.none", "the transcript has no such version", param="version")
    pages = transcripts.pages(session, head)
    if media_type == JSON:
        document = {**head_document(format_id("sess", session.id), head), "segments": []}
        pieces = _in_json(TranscriptResource.model_validate(document), pages)
    else:
        pieces = _in_text(FORMATS[media_type](), pages)
        media_type += "; charset=utf-8"
    return await long_answer(call, pieces, content_type=media_type, headers={hdrs.VARY: hdrs.ACCEPT})


async def _in_json(empty: TranscriptResource, pages: AsyncIterator[list[Segment]]) -> AsyncGenerator[bytes, None]:
    end = b"]}"
    written, separator = bytearray(to_json(empty).removesuffix(end)), b""
    async for page in pages:
        for segment in page:
            written += separator + to_json(TranscriptSegment.model_validate(segment_document(segment)))
            separator = b","
        yield bytes(written)
        written.clear()
    yield bytes(written) + end


async def _in_text(writer: TextWriter, pages: AsyncIterator[list[Segment]]) -> AsyncGenerator[bytes, None]:
    yield writer.head.encode()
    async for page in pages:
        yield writer.page(page).encode()
