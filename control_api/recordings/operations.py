"""The operations on a session's recording, and the signed links to it."""

from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import text
from control_api.recordings import examples, routes
from control_api.recordings.models import AudioLink, RecordingResource
from control_api.sessions.one_session import ONE_SESSION

RANGE_PATTERN = "^bytes=([0-9]{1,15}-([0-9]{1,15})?|-[0-9]{1,15})$"

RECORDING_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_recording",
        method="GET",
        path=ONE_SESSION + "/recording",
        tag="Recordings",
        summary="State and facts of the recording",
        scope="sessions:read",
        handler=routes.get_recording,
        answers=(Answer(200, "The recording.", RecordingResource, examples.RECORDING),),
    ),
    Operation(
        name="get_audio",
        method="GET",
        path=ONE_SESSION + "/audio",
        tag="Recordings",
        summary="Where conversation.wav is",
        description="Redirects to a link that works without a key for about an hour and serves Range requests.",
        scope="sessions:read",
        handler=routes.get_audio,
        answers=(Answer(302, "The link.", AudioLink, examples.AUDIO_LINK, headers={"Location": "The link."}),),
        errors=("audio.not_ready", "audio.none"),
    ),
    Operation(
        name="get_object",
        method="GET",
        path="/v1/objects/{key}",
        tag="Recordings",
        summary="The bytes behind a signed link",
        description="Only links made by GET /v1/sessions/{session_id}/audio work; serves Range requests.",
        public=True,
        handler=routes.get_object,
        query=(
            text("expires", "Part of the link.", most=12),
            text("signature", "Part of the link.", most=128),
        ),
        request_headers={
            "Range": ("One range.", {"type": "string", "pattern": RANGE_PATTERN, "examples": ["bytes=0-1023"]})
        },
        answers=(
            Answer(200, "The whole file.", media_types={"audio/wav": ""}),
            Answer(206, "The range.", media_types={"audio/wav": ""}),
        ),
        errors=("audio.link_invalid", "range.invalid"),
    ),
)
