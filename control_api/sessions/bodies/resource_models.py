"""The session resource and what is listed beside it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, Timestamp
from control_api.http.answers.page import Page
from sessions.audio_formats import MadeFormat
from sessions.billing.usage import Quality
from sessions.lifecycle.recording_state import RecordingState
from sessions.session import AudioSource, Layout, OnPause, SessionKind, TranscriptionMode
from sessions.texts.text_bounds import PREVIEW_CHARACTERS
from store.sessions.participants import MOST

StatusWord = Annotated[
    Literal["created", "queued", "starting", "running", "paused", "ending", "ended", "failed", "canceled"],
    Field(
        description=(
            "Public session lifecycle. Terminal states are ended, failed, canceled. ending is the graceful-drain state "
            "while a worker finishes publishing in-flight frames."
        )
    ),
]
HexStatusWord = Annotated[
    Literal["started", "active", "idle"],
    Field(
        description=(
            "Current execution status of the session. started: created, queued, starting; active: running, ending; "
            "idle: paused, ended, failed, canceled."
        )
    ),
]


class E2EE(AnswerModel):
    """Whether the worker was given the key of the room's end-to-end encryption, and never the key."""

    shared_key: Literal["[redacted]"] = Field(description="Write-only. Never echoed back on read.")


class LiveKitTransport(AnswerModel):
    """BYO LiveKit transport.

    The customer owns the room and mints worker_token; we never touch their LiveKit API key or secret.
    """

    type: Literal["livekit"]
    url: str = Field(description="Customer’s LiveKit URL, e.g. wss://my-app.livekit.cloud.")
    room_name: str = Field(description="Name of the LiveKit room the worker should join.")
    worker_token: Literal["[redacted]"] = Field(description="Write-only. Never echoed back on read.")
    worker_identity: str = Field(description="Identity the worker presents inside the room.")
    audio_source: AudioSource = Field(
        description="How the worker receives audio. See LiveKitAudioSource: track or data_stream."
    )
    subscribe_to_identity: str | None = Field(description="Only this participant is recorded. Null: everybody.")
    synthetic_audio_if_no_input: bool = Field(
        description=(
            "If True and no participant joins within 10 s, the worker falls back to a synthetic sine generator. "
            "Demo aid only; default off."
        )
    )
    e2ee: E2EE | None = Field(description="Null: the worker has no key, and can't record who encrypts end to end.")


class WebSocketTransport(AnswerModel):
    """Reserved — raw WebSocket transport. Not yet available.

    Listed in the schema so existing clients keep parsing future responses, but POST /v1/sessions rejects it today with
    invalid_request / code=transport.unsupported.
    """

    type: Literal["websocket"]


class PipecatTransport(AnswerModel):
    """Reserved — Pipecat integration. Not yet available. Rejected at create-time today."""

    type: Literal["pipecat"]


Transport = Annotated[LiveKitTransport | WebSocketTransport | PipecatTransport, Field(discriminator="type")]


class RecordingOptions(AnswerModel):
    """How `conversation.wav` is made."""

    layout: Layout
    on_pause: OnPause
    formats: list[MadeFormat] = Field(description="What is kept of the recording besides WAV.")
    tracks: bool = Field(description="Whether each participant gets a file of the whole length.")


class TranscriptionOptions(AnswerModel):
    """How speech becomes text."""

    mode: TranscriptionMode
    language: str | None = Field(description="As BCP 47; null: the engine finds out.")


class SessionError(AnswerModel):
    """Populated when Session.status == failed."""

    code: str = Field(description="Stable lower_snake_case subcode.")
    message: str | None = Field(description="Human-readable summary; not stable.")


class UsageCounters(AnswerModel):
    """Live usage counters embedded in the Session resource.

    Eventually-consistent — lags the latest worker heartbeat by up to one interval. Canonical billing data lives in
    UsageEvent (GET /v1/usage/events).
    """

    billable_seconds: int = Field(
        description="Whole seconds of billable_ms: what was counted, before anything is given back. Sums of the bill "
        "(GET /v1/usage) have what was given back taken off."
    )
    billable_ms: int = Field(
        description="What was counted. Once the session is over, billable_ms - credited_ms is to be paid."
    )
    credited_ms: int = Field(
        description="What of billable_ms is given back, because the recording lacks it through no fault of yours, or "
        "because nobody was in the room. Known once the session is over, 0 before."
    )
    frames: int = Field(description="10 ms frames received, all recorded tracks.")
    audio_ms_received: int
    as_of: Timestamp | None
    provisional: bool = Field(description="Whether the session goes on: more may be counted, and given back.")


class Capability(AnswerModel):
    """A capability of this session's agent, added to those of the agent. Stored, never read by Parley."""

    ref: str = Field(description="Reference to the capability ID")
    config: dict[str, Any] | None = Field(description="Per-agent configuration for this capability")


class SessionParticipant(AnswerModel):
    """Somebody who was in the session's room."""

    identity: str
    name: str | None = Field(description="To show, as the room said; null where there is none, or it is not known.")
    kind: str | None = Field(description="LiveKit's: standard, agent, sip and so on; null where it is not known.")
    heard: bool | None = Field(description="Whether the recording has audio of them; null before there is one.")


class SessionParticipants(AnswerModel):
    """Who was in the session's room, those who came first before the others."""

    data: list[SessionParticipant] = Field(description=f"At most {MOST}.")
    has_more: bool = Field(description="There were more; the session's events name them.")


class SessionResource(AnswerModel):
    """Public session resource — what GET /v1/sessions/{id} returns.

    For a key without the scope sessions:read, what was said and written is null: metadata, preview, output_preview,
    prompt, data and participants.
    """

    id: str = Field(description="sess_… prefixed ULID.")
    object: Literal["session"]
    status: StatusWord
    transport: Transport | None
    quality: Quality = Field(
        description=(
            "Output quality tier. Drives the credit billing multiplier. standard is the default for new sessions. mock "
            "is reserved for internal tests and the bring-up runtime (no real model loaded); it bills as standard when "
            "it appears on a real session."
        )
    )
    max_duration_seconds: int
    idle_timeout_seconds: int
    recording: RecordingOptions
    transcription: TranscriptionOptions
    metadata: dict[str, Any] | None = Field(description="Null for keys without the scope sessions:read, never else.")
    tags: list[str]
    title: str | None = Field(description="Human-readable title for the session.")
    preview: str | None = Field(
        description=f"The first participant's first line, at most {PREVIEW_CHARACTERS} characters."
    )
    output_preview: str | None = Field(
        description=f"The other side's last line, at most {PREVIEW_CHARACTERS} characters."
    )
    agent_id: str = Field(description="The agent working in this session; by default the organization's own.")
    task_id: str | None
    project_id: str | None
    model_id: str | None = Field(description="The model that the customer's agent uses. Stored, never read by Parley.")
    capabilities: list[Capability]
    organization_id: str = Field(description="org_… prefixed ULID.")
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
    kind: SessionKind
    start_at: Timestamp | None
    prompt: str | None
    data: dict[str, Any] | None
    end_reason: str | None
    error: SessionError | None
    epoch: int
    message_count: int
    recording_state: RecordingState = Field(
        description="incomplete: stored, and something is missing by Parley's fault; the recording's gaps tell what."
    )
    usage: UsageCounters
    participants: SessionParticipants | None = Field(description="Null unless the request has expand=participants.")


class HexSessionResource(SessionResource):
    """The same session in the spelling of `session_{32-hex}`: ids in hex and three status words."""

    id: str = Field(description="Unique identifier for the session (format: session_{32-hex}).")
    status: HexStatusWord  # type: ignore[assignment]  # the other spelling has words of its own
    organization_id: str = Field(description="Organization this session belongs to (format: org_{32-hex}).")


class SessionList(Page[SessionResource]):
    """Cursor-paginated list of sessions, newest first."""
