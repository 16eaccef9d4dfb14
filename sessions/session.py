"""A session as the rest of Parley sees it: one frozen value, as stored, without its token."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sessions.audio_formats import MadeFormat
from sessions.billing.usage import Usage
from sessions.lifecycle.lifecycle import Outcome, Status
from sessions.lifecycle.recording_state import RecordingState

SessionKind = Literal["voice", "text"]
AudioSource = Literal["track", "data_stream"]
Layout = Literal["mono", "stereo"]
OnPause = Literal["silence", "cut"]
TranscriptionMode = Literal["live", "after", "off"]


@dataclass(frozen=True, slots=True)
class LiveKitTransport:
    """Where to join, and how. Neither the token is here nor the key of `e2ee`: they live encrypted in the store.

    `e2ee` says whether the worker was given the key of the room's end-to-end encryption.
    """

    url: str
    room_name: str
    worker_identity: str
    audio_source: AudioSource
    subscribe_to_identity: str | None
    synthetic_audio_if_no_input: bool
    e2ee: bool = False


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """How `conversation.wav` is made, in which other forms it is kept, and whether each participant has a file."""

    layout: Layout
    on_pause: OnPause
    formats: tuple[MadeFormat, ...] = ()
    tracks: bool = False


@dataclass(frozen=True, slots=True)
class TranscriptionOptions:
    """Whether speech is recognized, and in which language (BCP 47; None: whichever the engine hears)."""

    mode: TranscriptionMode
    language: str | None


@dataclass(frozen=True, slots=True)
class SessionParticipant:
    """Somebody who was in the session's room.

    Attributes:
        name, kind: as the room said; None of somebody who is heard, and whose coming was not told.
        heard: whether there is audio of them in the recording; None before there is one.
    """

    identity: str
    name: str | None
    kind: str | None
    heard: bool | None


@dataclass(frozen=True, slots=True)
class SessionParticipants:
    """The first who came, and whether there were more."""

    first: tuple[SessionParticipant, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that the resource shows; the fields mean what docs/api.md says."""

    id: UUID
    organization_id: UUID
    kind: SessionKind
    status: Status
    version: int
    epoch: int
    transport: LiveKitTransport | None
    quality: str
    multiplier: Decimal
    max_duration_seconds: int
    idle_timeout_seconds: int
    recording: RecordingOptions
    transcription: TranscriptionOptions
    metadata: dict[str, Any]
    tags: tuple[str, ...]
    title: str | None
    preview: str | None
    output_preview: str | None
    agent_id: str
    task_id: str | None
    project_id: str | None
    model_id: str | None
    capabilities: list[dict[str, Any]]
    prompt: str | None
    data: dict[str, Any] | None
    external_customer_id: str | None
    created_at: datetime
    updated_at: datetime
    queued_at: datetime | None
    start_at: datetime | None
    started_at: datetime | None
    running_since: datetime | None
    first_frame_at: datetime | None
    paused_at: datetime | None
    ending_at: datetime | None
    ended_at: datetime | None
    failed_at: datetime | None
    finished_at: datetime | None
    last_active_at: datetime | None
    archived_at: datetime | None
    outcome: Outcome | None
    end_reason: str | None
    error_code: str | None
    error_message: str | None
    message_count: int
    recording_state: RecordingState
    recording_reason: str | None
    usage: Usage
    participants: SessionParticipants | None = None  # read on request only
