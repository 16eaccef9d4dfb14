"""Document 000 in the table of operations."""

from control_api import examples
from control_api.adapters import session_outputs
from control_api.adapters.addressed_session import PROJECT_ID, SESSION_ID, TYPE
from control_api.adapters.session_outputs_dialect import SESSION_OUTPUTS
from control_api.operation import Answer, Operation
from control_api.schemas.session_outputs import AudioPayload, StatusPayload

_TAG = "Session outputs"
_QUERY = (SESSION_ID, TYPE, PROJECT_ID)
_ERRORS = ("parameter.required", "id.invalid", "not_found")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="session_status",
        method="GET",
        path="/v1/session/status",
        tag=_TAG,
        summary="Get session status (project or instant)",
        description="Get session status payload for a session owned by the authenticated user.",
        scope="sessions:read",
        handler=session_outputs.get_status,
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
        handler=session_outputs.get_audio,
        query=_QUERY,
        answers=(Answer(200, "The link, good for about an hour.", AudioPayload, examples.SESSION_AUDIO),),
        errors=(*_ERRORS, "audio.not_ready", "audio.none"),
        dialect=SESSION_OUTPUTS,
    ),
)
