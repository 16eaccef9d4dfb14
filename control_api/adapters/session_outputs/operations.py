"""The operations of the flat paths: `/v1/session/…`, `/v1/sessions/summary` and `/v1/sessions/summary/regenerate`."""

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

_TAG = "Session outputs"
_QUERY = (SESSION_ID, TYPE, PROJECT_ID)
_ERRORS = ("parameter.required", "id.invalid", "not_found")

SESSION_OUTPUT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="session_summary",
        method="GET",
        path="/v1/sessions/summary",
        tag=_TAG,
        summary="Fetch or trigger generation of a session summary",
        description="Fetch cached session summary if it exists; otherwise start generation and return 202.",
        scope="sessions:read",
        handler=summary_routes.get_summary,
        query=(SESSION_ID, PROJECT_ID, INSTANT),
        answers=(
            Answer(200, "The summary.", SummaryPayload, examples.SESSION_SUMMARY),
            Answer(202, "A run makes it.", GeneratingPayload, examples.SESSION_SUMMARY_GENERATING),
        ),
        errors=(*_ERRORS, "summary.failed", "storage.unavailable"),
        dialect=SESSION_OUTPUTS,
    ),
    Operation(
        name="regenerate_session_summary",
        method="POST",
        path="/v1/sessions/summary/regenerate",
        tag=_TAG,
        summary="Force regeneration of a session summary",
        description="Force regeneration of a session summary (starts workflow; returns 202).",
        scope="sessions:write",
        handler=summary_routes.regenerate_summary,
        body=RegenerateRequest,
        request_examples={"instant": examples.REGENERATE_SUMMARY},
        answers=(Answer(202, "The run.", RegeneratingPayload, examples.SESSION_SUMMARY_REGENERATING),),
        errors=("id.invalid", "not_found"),
        dialect=SESSION_OUTPUTS,
    ),
    Operation(
        name="session_transcript",
        method="GET",
        path="/v1/session/transcript",
        tag=_TAG,
        summary="Get session transcript (project or instant)",
        description="Fetch the transcript JSON for a session (sessions/{sessionId}/conversation.json).",
        scope="sessions:read",
        handler=routes.get_transcript,
        query=_QUERY,
        answers=(Answer(200, "The transcript.", TranscriptPayload, examples.SESSION_TRANSCRIPT),),
        errors=(*_ERRORS, "transcript.none", "storage.unavailable"),
        dialect=SESSION_OUTPUTS,
    ),
    Operation(
        name="session_status",
        method="GET",
        path="/v1/session/status",
        tag=_TAG,
        summary="Get session status (project or instant)",
        description="Get session status payload for a session owned by the authenticated user.",
        scope="sessions:read",
        handler=routes.get_status,
        query=_QUERY,
        answers=(Answer(200, "The status.", StatusPayload, examples.SESSION_STATUS),),
        errors=_ERRORS,
        dialect=SESSION_OUTPUTS,
    ),
    Operation(
        name="session_audio",
        method="GET",
        path="/v1/session/audio",
        tag=_TAG,
        summary="Get session audio (project or instant)",
        description="Get a signed URL for the session audio (sessions/{sessionId}/conversation.wav).",
        scope="sessions:read",
        handler=routes.get_audio,
        query=_QUERY,
        answers=(Answer(200, "The link, good for about an hour.", AudioPayload, examples.SESSION_AUDIO),),
        errors=(*_ERRORS, "audio.not_ready", "audio.none"),
        dialect=SESSION_OUTPUTS,
    ),
)
