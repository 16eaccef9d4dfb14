"""The body of `POST /v1/sessions`."""

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from control_api.http.answers.models import (
    INTEGRAL,
    AgentId,
    JsonObject,
    RequestModel,
    ShortText,
    Text,
    Title,
)
from sessions import session_defaults
from sessions.audio_formats import MADE_FORMATS, MadeFormat
from sessions.billing.usage import Quality
from sessions.destinations.worker_token import MAX_TOKEN_CHARACTERS
from sessions.session import AudioSource, Layout, OnPause, TranscriptionMode
from sessions.texts.text_bounds import LONG_CHARACTERS, NO_NUL
from sessions.texts.timestamps import EXPECTED_TIME, parse_timestamp

MAX_METADATA_BYTES = 8 * 1024
_MAX_METADATA = f"{MAX_METADATA_BYTES // 1024} KiB"
MAX_IDLE_TIMEOUT_SECONDS = 600
MAX_SHARED_KEY_CHARACTERS = 1024
LANGUAGE_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"
_EXACT = 2**53  # what every client's numbers hold exactly

Size = TypeVar("Size", dict[str, Any], list[dict[str, Any]])

WorkerToken = Annotated[
    SecretStr,
    Field(min_length=1, max_length=MAX_TOKEN_CHARACTERS, json_schema_extra={"writeOnly": True, "pattern": NO_NUL}),
]


SharedKey = Annotated[
    SecretStr,
    Field(min_length=1, max_length=MAX_SHARED_KEY_CHARACTERS, json_schema_extra={"writeOnly": True, "pattern": NO_NUL}),
]


class E2EERequest(RequestModel):
    """The key of a room whose participants encrypt end to end, so that it can be recorded."""

    shared_key: SharedKey = Field(
        description="The passphrase that all participants share (ExternalE2EEKeyProvider.setKey with a text in "
        "livekit-client). Write-only: read back as [redacted], and erased with the token."
    )


class LiveKitTransportRequest(RequestModel):
    """BYO LiveKit transport: the customer owns the room and mints `worker_token`; Parley never touches the API key."""

    type: Literal["livekit"]
    url: Annotated[
        Text,
        Field(
            min_length=1, max_length=2048, description="The LiveKit server's URL, such as wss://my-app.livekit.cloud."
        ),
    ]
    room_name: ShortText = Field(description="Name of the LiveKit room that the worker joins.")
    worker_token: WorkerToken = Field(
        description="Short-lived JWT that lets the worker join. Write-only: read back as [redacted]."
    )
    worker_identity: ShortText | None = Field(
        None, description="Identity that the worker presents inside the room. Default: the token's sub."
    )
    audio_source: AudioSource = Field(
        "track",
        description="track: audio tracks of the room. data_stream: PCM in LiveKit byte streams, as livekit-agents "
        "sends it to an avatar worker (DataStreamAudioOutput with destination_identity=worker_identity); needs a token "
        "that is not hidden and has canPublishData.",
    )
    subscribe_to_identity: ShortText | None = Field(None, description="Record this participant only. Null: everybody.")
    synthetic_audio_if_no_input: bool = Field(
        False, description="If no participant joins within 10 s, record a sine until one does. Demo aid only."
    )
    e2ee: E2EERequest | None = Field(
        None, description="Null: who encrypts end to end is left out of the recording, and named in its gaps."
    )


def _without_word_of_others(schema: dict[str, Any]) -> None:
    """JSON Schema allows other members anyway; makers of clients would give them a place."""
    del schema["additionalProperties"]


class ReservedTransport(RequestModel):
    """A transport that is not available yet: it may have any members, none of which is kept."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_without_word_of_others)


class WebSocketTransportRequest(ReservedTransport):
    """Reserved: raw WebSocket transport. Not yet available; create answers 400 `transport.unsupported`."""

    type: Literal["websocket"]


class PipecatTransportRequest(ReservedTransport):
    """Reserved: Pipecat integration. Not yet available; create answers 400 `transport.unsupported`."""

    type: Literal["pipecat"]


TransportRequest = Annotated[
    LiveKitTransportRequest | WebSocketTransportRequest | PipecatTransportRequest, Field(discriminator="type")
]


class RecordingRequest(RequestModel):
    """How `conversation.wav` is made. Voices are as loud in it as they were, but for sums beyond full scale."""

    layout: Layout = Field(
        session_defaults.RECORDING.layout,
        description="mono: one channel. stereo: the room left, the worker's own audio right.",
    )
    on_pause: OnPause = Field(
        session_defaults.RECORDING.on_pause, description="What a pause becomes in the file: silence, or nothing."
    )
    formats: list[MadeFormat] = Field(
        default_factory=list,
        max_length=len(MADE_FORMATS),
        description="What the recording is to be kept as besides WAV. Made after the session has ended, which waits "
        "for none of it. Any of them may also be asked for later.",
    )
    tracks: bool = Field(
        session_defaults.RECORDING.tracks,
        description="Keep a file of each participant, too, in each form: silent where others speak, all of the "
        "recording's length, so that they line up.",
    )


class TranscriptionRequest(RequestModel):
    """How speech becomes text. What agents transcribe themselves, and chat, is in the transcript in any case."""

    mode: TranscriptionMode = Field(
        session_defaults.TRANSCRIPTION.mode,
        description="live: speech is recognized while it is spoken, and is in the transcript some seconds later. "
        "after: it is recognized when the session has ended. off: it is not.",
    )
    language: str | None = Field(
        session_defaults.TRANSCRIPTION.language,
        max_length=35,
        pattern=LANGUAGE_TAG,
        description="What is spoken, as BCP 47 (`en`, `pt-BR`). Null: the engine finds out. An engine that does not "
        "know it leaves the transcript incomplete (speech.language_unsupported).",
    )


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    for member in value.values():
        if not isinstance(member, (str, int, float, bool, type(None))):
            raise PydanticCustomError("metadata_flat", "values must be texts, numbers, booleans or null")
        if isinstance(member, (int, float)) and abs(member) > _EXACT:
            raise PydanticCustomError("metadata_number", "numbers must lie within ±2^53")
    return _bounded(value)


def _bounded(value: Size) -> Size:
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_METADATA_BYTES:
        raise PydanticCustomError("too_many_bytes", f"must not be larger than {_MAX_METADATA} as JSON")
    return value


Metadata = Annotated[
    dict[str, Any],
    AfterValidator(_flat),
    Field(
        json_schema_extra={
            "propertyNames": {"pattern": NO_NUL},
            "additionalProperties": {
                "anyOf": [
                    {"type": "string", "pattern": NO_NUL},
                    {"type": "number", "format": "double", "minimum": -_EXACT, "maximum": _EXACT},
                    {"type": ["boolean", "null"]},
                ]
            },
            "description": f"Flat object, at most {_MAX_METADATA} as JSON. Stored as it is, never read by Parley.",
        }
    ),
]


class CapabilityRequest(RequestModel):
    """Associates a capability with the session's agent. Stored, never read by Parley."""

    ref: ShortText = Field(description="Reference to the capability ID")
    config: JsonObject | None = Field(None, description="Per-agent configuration for this capability")


def _bounded_list(capabilities: list[CapabilityRequest]) -> list[CapabilityRequest]:
    _bounded([capability.model_dump() for capability in capabilities])
    return capabilities


Capabilities = Annotated[list[CapabilityRequest], AfterValidator(_bounded_list), Field(max_length=50)]


def _time(value: str) -> str:
    try:
        parse_timestamp(value)
    except (ValueError, OverflowError):
        raise PydanticCustomError("timestamp", EXPECTED_TIME) from None
    return value


StartAt = Annotated[str, AfterValidator(_time), Field(max_length=64, json_schema_extra={"format": "date-time"})]


Prompt = Annotated[Text, Field(max_length=LONG_CHARACTERS)]
Tags = Annotated[list[Annotated[Text, Field(min_length=1, max_length=100)]], Field(max_length=50)]


class CreateSessionRequest(RequestModel):
    """What to record, where, and for how long."""

    transport: TransportRequest = Field(
        description="How the worker gets to the conversation: a LiveKit room of yours, and a token that lets it in."
    )
    quality: Quality = Field(session_defaults.QUALITY, description="Output quality tier; mock bills as standard.")
    max_duration_seconds: Annotated[int, Field(ge=1), INTEGRAL] | None = Field(
        None,
        description="Counts from started_at, pauses included. "
        f"Default {session_defaults.MAX_DURATION_SECONDS}, at most PARLEY_MAX_DURATION_SECONDS.",
    )
    idle_timeout_seconds: Annotated[int, Field(ge=1, le=MAX_IDLE_TIMEOUT_SECONDS), INTEGRAL] = Field(
        session_defaults.IDLE_TIMEOUT_SECONDS,
        description="The session ends after so many seconds in which no remote participant had an audio track and no "
        "byte stream was received or played.",
    )
    recording: RecordingRequest = Field(default_factory=RecordingRequest)
    transcription: TranscriptionRequest = Field(default_factory=TranscriptionRequest)
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    title: Title | None = None
    agent_id: AgentId | None = Field(None, description="Default: the organization's default agent.")
    task_id: ShortText | None = None
    project_id: ShortText | None = None
    model_id: ShortText | None = None
    capabilities: Capabilities = Field(default_factory=list)
    prompt: Prompt | None = None
    external_customer_id: ShortText | None = None
    start_at: StartAt | None = Field(
        None,
        description="RFC 3339: the session is created until then, and then queued. The token must expire later.",
    )


class UpdateSessionRequest(RequestModel):
    """A member that is sent replaces the old one as a whole; a member that is left out stays as it is."""

    title: Title | None = Field(None, description="Null: no title.")
    tags: Tags = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)


class ReplaceWorkerTokenRequest(RequestModel):
    """A fresh token for the same room and the same `sub`."""

    worker_token: WorkerToken
