"""`GET …/transcript`: JSON, WebVTT, SubRip or plain text, by `Accept`."""

from collections.abc import Callable, Sequence

from aiohttp import hdrs, web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import TRANSCRIPTS
from control_api.transcripts.formats import plain_text, sub_rip, web_vtt
from control_api.transcripts.models import TranscriptResource
from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.texts.transcript import TranscriptSegment
from sessions.texts.transcript_document import transcript_document

JSON = "application/json"
FORMATS: dict[str, Callable[[Sequence[TranscriptSegment]], str]] = {
    "text/vtt": web_vtt,
    "application/x-subrip": sub_rip,
    "text/plain": plain_text,
}


async def get_transcript(call: Call) -> web.StreamResponse:
    """The transcript as far as it has come, or one of its versions."""
    media_type = accepted_media_type(call.request.headers, (JSON, *FORMATS))
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    transcripts, version = call.request.app[TRANSCRIPTS], call.query["version"]
    found = await (transcripts.read(session) if version is None else transcripts.read_version(session, version))
    if found is None:
        raise ParleyError("transcript.none", "the transcript has no such version", param="version")
    transcript = found
    answer: web.Response
    if media_type == JSON:
        document = transcript_document(format_id("sess", session.id), transcript)
        answer = json_answer(TranscriptResource.model_validate(document))
    else:
        answer = web.Response(
            text=FORMATS[media_type](transcript.segments),
            content_type=media_type,
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: "private, no-cache"},
        )
    answer.headers[hdrs.VARY] = hdrs.ACCEPT
    return answer
