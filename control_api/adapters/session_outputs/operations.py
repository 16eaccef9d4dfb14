"""The operations of the flat paths: `/v1/session/…`, `/v1/sessions/summary` and `/v1/sessions/summary/regenerate`."""

from functools import partial

from control_api.adapters.session_outputs import examples, routes, summary_routes
from control_api.adapters.session_outputs.addressed_session import INSTANT, PROJECT_ID, SESSION_ID, TYPE
from control_api.adapters.session_outputs.dialect import SESSION_OUTPUTS
from control_api.adapters.session_outputs.models import (
    AudioPayload,
    GeneratingPayload,
    RegenerateRequest,
    RegeneratingPayload,
    StatusPayload,
    SummaryPayload,
    TranscriptPayload,
)
from control_api.http.openapi.operation import Answer, Operation

_ERRORS = ("parameter.required", "id.invalid", "not_found")

_operation = partial(Operation, tag="Session outputs", dialect=SESSION_OUTPUTS)
# The three that name their session by its kind.
_of_kind = partial(_operation, method="GET", scope="sessions:read", query=(SESSION_ID, TYPE, PROJECT_ID))

_IN_STORAGE = " In the object storage the file is in a folder of its own below, named by its content."

SESSION_OUTPUT_OPERATIONS: tuple[Operation, ...] = (
    _operation(
        name="session_summary",
        method="GET",
        path="/v1/sessions/summary",
        summary="Fetch or trigger generation of a session summary",
        description="Fetch cached session summary if it exists; otherwise start generation and return 202.",
        scope="sessions:read",
        handler=summary_routes.get_summary,
        query=(SESSION_ID, PROJECT_ID, INSTANT),
        answers=(
            Answer(200, "The summary.", SummaryPayload, examples.SESSION_SUMMARY),
            Answer(
                202,
                "There is no current summary; a run is making one.",
                GeneratingPayload,
                examples.SESSION_SUMMARY_GENERATING,
            ),
        ),
        errors=(*_ERRORS, "summary.failed", "storage.unavailable"),
    ),
    _operation(
        name="regenerate_session_summary",
        method="POST",
        path="/v1/sessions/summary/regenerate",
        summary="Force regeneration of a session summary",
        description="Force regeneration of a session summary (starts workflow; returns 202).",
        scope="sessions:write",
        handler=summary_routes.regenerate_summary,
        body=RegenerateRequest,
        request_examples={"instant": examples.REGENERATE_SUMMARY},
        answers=(Answer(202, "The run that makes it.", RegeneratingPayload, examples.SESSION_SUMMARY_REGENERATING),),
        errors=("id.invalid", "not_found"),
    ),
    _of_kind(
        name="session_transcript",
        path="/v1/session/transcript",
        summary="Get session transcript (project or instant)",
        description="Fetch the transcript JSON for a session (sessions/{sessionId}/conversation.json)." + _IN_STORAGE,
        handler=routes.get_transcript,
        answers=(Answer(200, "The transcript.", TranscriptPayload, examples.SESSION_TRANSCRIPT),),
        errors=(*_ERRORS, "transcript.none", "storage.unavailable"),
    ),
    _of_kind(
        name="session_status",
        path="/v1/session/status",
        summary="Get session status (project or instant)",
        description="Get session status payload for a session owned by the authenticated user.",
        handler=routes.get_status,
        answers=(Answer(200, "The status.", StatusPayload, examples.SESSION_STATUS),),
        errors=_ERRORS,
    ),
    _of_kind(
        name="session_audio",
        path="/v1/session/audio",
        summary="Get session audio (project or instant)",
        description="Get a signed URL for the session audio (sessions/{sessionId}/conversation.wav)." + _IN_STORAGE,
        handler=routes.get_audio,
        answers=(Answer(200, "The link, good for about an hour.", AudioPayload, examples.SESSION_AUDIO),),
        errors=(*_ERRORS, "audio.not_ready", "audio.none"),
    ),
)
