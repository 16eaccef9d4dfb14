"""The operations on a session's recording, and the signed links to it."""

from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import text
from control_api.recordings import examples, routes
from control_api.recordings.models import AudioLink, RecordingResource
from control_api.sessions.one_session import ONE_SESSION

RECORDING_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_recording",
        method="GET",
        path=ONE_SESSION + "/recording",
        tag="Recordings",
        summary="Get state, length, tracks, gaps and absences of the recording",
        scope="sessions:read",
        handler=routes.get_recording,
        answers=(Answer(200, "The recording.", RecordingResource, examples.RECORDING),),
    ),
    Operation(
        name="get_audio",
        method="GET",
        path=ONE_SESSION + "/audio",
        tag="Recordings",
        summary="Get a link to conversation.wav",
        description=(
            "Redirects to a link that works without a key for about an hour and serves Range requests. Before the "
            "recording is finished the answer is 409 audio.not_ready; a session without one has 404 audio.none."
        ),
        scope="sessions:read",
        handler=routes.get_audio,
        answers=(
            Answer(302, "The link.", AudioLink, examples.AUDIO_LINK, headers={"Location": "The link."}),
            Answer(200, "The file: what a client gets that follows the link.", media_types={"audio/wav": ""}),
        ),
        errors=("audio.not_ready", "audio.none"),
    ),
    Operation(
        name="get_object",
        method="GET",
        path="/v1/objects/{key}",
        tag="Recordings",
        summary="Get the file behind a signed link",
        description="Serves links made by GET /v1/sessions/{session_id}/audio, Range requests included. Needs no key.",
        public=True,
        handler=routes.get_object,
        query=(
            text("expires", "Part of the link.", most=12),
            text("signature", "Part of the link.", most=128),
        ),
        request_headers={
            "Range": (
                "One range; several, and other units than bytes, get the whole file.",
                {"type": "string", "examples": ["bytes=0-1023"]},
            )
        },
        answers=(
            Answer(200, "The whole file.", media_types={"audio/wav": ""}),
            Answer(206, "The range.", media_types={"audio/wav": ""}),
        ),
        errors=("audio.link_invalid", "range.invalid"),
    ),
)
