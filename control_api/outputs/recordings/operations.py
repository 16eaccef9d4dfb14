"""The operations on a session's recording, and the signed links to it."""

from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import choice, integer, text
from control_api.outputs.recordings import examples, routes, waveform_routes
from control_api.outputs.recordings.models import AudioLink, RecordingResource, WaveformResource
from control_api.sessions.one_session import ONE_SESSION
from sessions.audio_formats import AUDIO_FORMATS, MEDIA_TYPES

_SOUND = dict.fromkeys(MEDIA_TYPES.values(), "")

RECORDING_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_recording",
        method="GET",
        path=ONE_SESSION + "/recording",
        tag="Recordings",
        summary="Get state, length, tracks, gaps, absences and files of the recording",
        scope="sessions:read",
        handler=routes.get_recording,
        answers=(Answer(200, "The recording.", RecordingResource, examples.RECORDING),),
    ),
    Operation(
        name="get_waveform",
        method="GET",
        path=ONE_SESSION + "/waveform",
        tag="Recordings",
        summary="Get what a player draws of the recording",
        description=(
            "Minimum and maximum of each 20 ms of the recording, and each participant's level of each 100 ms; with "
            "pixels fewer and longer ones, which still hold every peak. Errors are those of the audio."
        ),
        query=(integer("pixels", "At most so many per channel, and levels per participant.", least=1, most=65536),),
        scope="sessions:read",
        handler=waveform_routes.get_waveform,
        answers=(
            Answer(200, "The waveform.", WaveformResource, examples.WAVEFORM, headers={"ETag": "Of this waveform."}),
            Answer(304, "It is what the client has."),
        ),
        errors=("audio.not_ready", "audio.none"),
    ),
    Operation(
        name="get_audio",
        method="GET",
        path=ONE_SESSION + "/audio",
        tag="Recordings",
        summary="Get a link to the recording",
        description=(
            "Redirects to a link that works without a key for about an hour and serves Range requests. Before the "
            "recording is finished the answer is 409 audio.not_ready with Retry-After; a session without one has 404 "
            "audio.none. conversation.wav is there from then on. Another form is made when it is first asked for, or "
            "after the session's end if recording.formats named it: 409 audio.not_ready until it is. A participant's "
            "own file is there if recording.tracks was set."
        ),
        query=(
            choice("format", "What to get it as: opus is Opus in Ogg.", AUDIO_FORMATS, "wav"),
            text("identity", "The participant whose own file is wanted. Default: everybody, mixed."),
            choice(
                "redirect",
                "false: 200 with the link in the body. Browsers do not tell their pages where a redirect leads.",
                ("true", "false"),
                "true",
            ),
        ),
        scope="sessions:read",
        handler=routes.get_audio,
        answers=(
            Answer(302, "The link.", AudioLink, examples.AUDIO_LINK, headers={"Location": "The link."}),
            Answer(
                200,
                "With redirect=false the link; else the file: what a client gets that follows the link.",
                AudioLink,
                examples.AUDIO_LINK,
                media_types=_SOUND,
            ),
        ),
        errors=("audio.not_ready", "audio.none"),
    ),
    Operation(
        name="get_object",
        method="GET",
        path="/v1/objects/{key}",
        tag="Recordings",
        summary="Get the file behind a signed link",
        description=(
            "Serves links made by GET /v1/sessions/{session_id}/audio, Range requests included. Needs no key. "
            "Content-Disposition names the file after the session's title and start."
        ),
        public=True,
        handler=routes.get_object,
        query=(
            text("expires", "Part of the link.", most=12),
            text("signature", "Part of the link.", most=128),
            text("name", "Part of the link: what the file is to be called where it is saved.", most=1024),
        ),
        request_headers={
            "Range": (
                "One range; several, and other units than bytes, get the whole file.",
                {"type": "string", "examples": ["bytes=0-1023"]},
            )
        },
        answers=(
            Answer(200, "The whole file.", media_types=_SOUND),
            Answer(206, "The range.", media_types=_SOUND),
        ),
        errors=("audio.link_invalid", "range.invalid", "database.unavailable"),
    ),
)
