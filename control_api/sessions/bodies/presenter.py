"""From a stored session to the resource that clients read."""

from control_api.sessions.bodies.resource_models import (
    E2EE,
    HexSessionResource,
    HexStatusWord,
    LiveKitTransport,
    RecordingOptions,
    SessionError,
    SessionParticipant,
    SessionParticipants,
    SessionResource,
    TranscriptionOptions,
    UsageCounters,
)
from sessions import session as domain
from sessions.billing.usage import Usage
from sessions.ids import format_hex_id, format_id
from sessions.lifecycle.lifecycle import TERMINAL, Status
from sessions.texts.redaction import redact
from sessions.texts.timestamps import format_timestamp


def present_session(session: domain.Session, *, content: bool) -> SessionResource:
    """Every field of the contract; null, never absent, for what is known to be empty.

    Args:
        content: whether the reader may see what was said and written; else those fields are null.
    """
    return SessionResource.model_validate(
        {
            **{name: getattr(session, name) for name in _AS_THEY_ARE},
            **{name: getattr(session, name) if content else None for name in _CONTENT},
            **{name: format_timestamp(getattr(session, name)) for name in _TIMES},
            "id": format_id("sess", session.id),
            "object": "session",
            "status": session.status.value,
            "transport": _transport(session.transport),
            "recording": RecordingOptions(
                layout=session.recording.layout,
                on_pause=session.recording.on_pause,
                formats=list(session.recording.formats),
                tracks=session.recording.tracks,
            ),
            "transcription": TranscriptionOptions(
                mode=session.transcription.mode, language=session.transcription.language
            ),
            "tags": list(session.tags),
            "organization_id": format_id("org", session.organization_id),
            "error": _error(session),
            "usage": _usage(session.usage),
            "participants": _participants(session.participants) if content else None,
        }
    )


def present_session_in_hex(session: domain.Session, *, content: bool) -> HexSessionResource:
    """The resource with hex ids: `session_` and `org_` with 32 hex digits, and three status words."""
    return HexSessionResource.model_validate(
        {
            **present_session(session, content=content).model_dump(exclude={"id", "status", "organization_id"}),
            "id": format_hex_id("sess", session.id),
            "status": HEX_STATUS_WORDS[session.status],
            "organization_id": format_hex_id("org", session.organization_id),
        }
    )


HEX_STATUS_WORDS: dict[Status, HexStatusWord] = {
    Status.CREATED: "started",
    Status.QUEUED: "started",
    Status.STARTING: "started",
    Status.RUNNING: "active",
    Status.ENDING: "active",
    Status.PAUSED: "idle",
    **dict.fromkeys(TERMINAL, "idle"),
}

_AS_THEY_ARE = (
    "quality",
    "max_duration_seconds",
    "idle_timeout_seconds",
    "title",
    "agent_id",
    "task_id",
    "project_id",
    "model_id",
    "capabilities",
    "external_customer_id",
    "kind",
    "end_reason",
    "epoch",
    "message_count",
    "recording_state",
)
_CONTENT = ("metadata", "preview", "output_preview", "prompt", "data")
_TIMES = (
    "created_at",
    "updated_at",
    "queued_at",
    "started_at",
    "first_frame_at",
    "paused_at",
    "ending_at",
    "ended_at",
    "failed_at",
    "finished_at",
    "last_active_at",
    "archived_at",
    "start_at",
)


def _transport(transport: domain.LiveKitTransport | None) -> LiveKitTransport | None:
    if transport is None:
        return None
    return LiveKitTransport(
        type="livekit",
        url=transport.url,
        room_name=transport.room_name,
        worker_token="[redacted]",
        worker_identity=transport.worker_identity,
        audio_source=transport.audio_source,
        subscribe_to_identity=transport.subscribe_to_identity,
        synthetic_audio_if_no_input=transport.synthetic_audio_if_no_input,
        e2ee=E2EE(shared_key="[redacted]") if transport.e2ee else None,
    )


def _error(session: domain.Session) -> SessionError | None:
    if session.status is not Status.FAILED or session.error_code is None:
        return None
    message = session.error_message
    return SessionError(code=session.error_code, message=None if message is None else redact(message))


def _usage(usage: Usage) -> UsageCounters:
    return UsageCounters(
        billable_seconds=usage.billable_seconds,
        billable_ms=usage.billable_ms,
        credited_ms=usage.credited_ms,
        frames=usage.frames,
        audio_ms_received=usage.audio_ms_received,
        as_of=format_timestamp(usage.as_of),
        provisional=usage.provisional,
    )


def _participants(found: domain.SessionParticipants | None) -> SessionParticipants | None:
    if found is None:
        return None
    data = [
        SessionParticipant(identity=one.identity, name=one.name, kind=one.kind, heard=one.heard) for one in found.first
    ]
    return SessionParticipants(data=data, has_more=found.has_more)
