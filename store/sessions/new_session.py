"""What the API asks the store to create, once schema and semantics have been checked."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from sessions import session_defaults
from sessions.billing.usage import Quality
from sessions.session import LiveKitTransport, RecordingOptions, SessionKind, TranscriptionOptions


@dataclass(frozen=True, slots=True)
class NewSession:
    """A voice session to queue now or later, or a text session. What is left out has the default of every session.

    Attributes:
        id: made by the caller, so that an answer lost at COMMIT can be looked up; `created_at` is read from it.
        transport: None for a text session, which has neither token nor worker.
        token: the customer's worker token; it is stored sealed and shown nowhere.
        token_expires_at: its `exp`.
        shared_key: of the room's end-to-end encryption, to be stored like the token (`transport.e2ee` says if there is
            one).
        multiplier: credits per second, copied so that a later price doesn't change this bill.
        agent_id: None means the organization's default agent.
        start_at: until then the session is `created`; None, or a time that has passed: it is queued at once.
    """

    id: UUID
    transport: LiveKitTransport | None
    token: SecretStr | None
    token_expires_at: datetime | None
    quality: Quality
    multiplier: Decimal
    max_duration_seconds: int
    idle_timeout_seconds: int = session_defaults.IDLE_TIMEOUT_SECONDS
    recording: RecordingOptions = session_defaults.RECORDING
    transcription: TranscriptionOptions = session_defaults.TRANSCRIPTION
    kind: SessionKind = "voice"
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    title: str | None = None
    agent_id: str | None = None
    task_id: str | None = None
    project_id: str | None = None
    model_id: str | None = None
    capabilities: list[dict[str, Any]] = field(default_factory=list)
    prompt: str | None = None
    external_customer_id: str | None = None
    start_at: datetime | None = None
    data: dict[str, Any] | None = None
    shared_key: SecretStr | None = None
