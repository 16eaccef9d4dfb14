"""The session resource and what is listed beside it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from control_api.schemas.strictness import AnswerModel

Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T02:37:57.123Z"])]
StatusWord = Literal["created", "queued", "starting", "running", "paused", "ending", "ended", "failed", "canceled"]


class LiveKitTransport(AnswerModel):
    """Where the worker joins; its token is never echoed."""

    type: Literal["livekit"]
    url: str
    room_name: str
    worker_token: Literal["[redacted]"]
    worker_identity: str
    audio_source: Literal["track", "data_stream"]
    subscribe_to_identity: str | None
    synthetic_audio_if_no_input: bool


class WebSocketTransport(AnswerModel):
    """Reserved."""

    type: Literal["websocket"]


class PipecatTransport(AnswerModel):
    """Reserved."""

    type: Literal["pipecat"]


Transport = Annotated[LiveKitTransport | WebSocketTransport | PipecatTransport, Field(discriminator="type")]


class RecordingOptions(AnswerModel):
    """How `conversation.wav` is made."""

    layout: Literal["mono", "stereo"]
    on_pause: Literal["silence", "cut"]


class SessionError(AnswerModel):
    """Populated when status is failed."""

    code: str
    message: str | None


class UsageCounters(AnswerModel):
    """Live counters, at most one beat old; the canonical bill is GET /v1/usage/events."""

    billable_seconds: int
    billable_ms: int
    frames: int = Field(description="10 ms frames received, all recorded tracks.")
    audio_ms_received: int
    as_of: Timestamp | None


class SessionResource(AnswerModel):
    """A voice session that happens, or happened, in a LiveKit room."""

    id: str = Field(description="sess_… prefixed ULID.")
    object: Literal["session"]
    status: StatusWord
    transport: Transport | None
    quality: Literal["standard", "mock"]
    max_duration_seconds: int
    idle_timeout_seconds: int
    recording: RecordingOptions
    metadata: dict[str, Any]
    tags: list[str]
    title: str | None
    preview: str | None
    output_preview: str | None
    agent_id: str
    task_id: str | None
    project_id: str | None
    model_id: str | None
    capabilities: list[dict[str, Any]]
    organization_id: str
    external_customer_id: str | None
    created_at: Timestamp
    updated_at: Timestamp
    queued_at: Timestamp | None
    started_at: Timestamp | None
    first_frame_at: Timestamp | None
    paused_at: Timestamp | None
    ending_at: Timestamp | None
    ended_at: Timestamp | None
    failed_at: Timestamp | None
    finished_at: Timestamp | None
    last_active_at: Timestamp | None
    archived_at: Timestamp | None
    kind: Literal["voice", "text"]
    start_at: Timestamp | None
    prompt: str | None
    data: dict[str, Any] | None
    end_reason: str | None
    error: SessionError | None
    epoch: int
    message_count: int
    usage: UsageCounters


class SessionList(AnswerModel):
    """Cursor-paginated list of sessions, newest first."""

    object: Literal["list"]
    data: list[SessionResource]
    has_more: bool
    next_cursor: str | None
