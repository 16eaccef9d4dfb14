"""Bodies as they may be read and sent, for the OpenAPI document. Tests check each against its schema."""

from typing import Any

SESSION_ID = "sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
AGENT_ID = "agent_0f8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c"
API_KEY_ID = "key_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
TIME = "2026-11-22T02:37:57.123Z"

CREATE_SESSION: dict[str, Any] = {
    "transport": {
        "type": "livekit",
        "url": "wss://my-app.livekit.cloud",
        "room_name": "support-4711",
        "worker_token": "<a LiveKit access token: roomJoin, room support-4711>",
    },
    "max_duration_seconds": 1800,
    "recording": {"layout": "stereo"},
    "metadata": {"ticket": "4711"},
    "tags": ["support"],
}

CREATE_STREAM_SESSION: dict[str, Any] = {
    "transport": {
        "type": "livekit",
        "url": "wss://my-app.livekit.cloud",
        "room_name": "support-4711",
        "worker_token": "<a LiveKit access token: roomJoin, room support-4711, canPublishData, not hidden>",
        "worker_identity": "avatar",
        "audio_source": "data_stream",
        "subscribe_to_identity": "agent",
    },
}

SESSION: dict[str, Any] = {
    "id": SESSION_ID,
    "object": "session",
    "status": "running",
    "transport": {
        "type": "livekit",
        "url": "wss://my-app.livekit.cloud",
        "room_name": "support-4711",
        "worker_token": "[redacted]",
        "worker_identity": "recorder",
        "audio_source": "track",
        "subscribe_to_identity": None,
        "synthetic_audio_if_no_input": False,
    },
    "quality": "standard",
    "max_duration_seconds": 1800,
    "idle_timeout_seconds": 30,
    "recording": {"layout": "stereo", "on_pause": "silence"},
    "metadata": {"ticket": "4711"},
    "tags": ["support"],
    "title": None,
    "preview": None,
    "output_preview": None,
    "agent_id": AGENT_ID,
    "task_id": None,
    "project_id": None,
    "model_id": None,
    "capabilities": [],
    "organization_id": "org_01KB2F0000Q4V9M7T8Y6R3N1C0",
    "external_customer_id": None,
    "created_at": TIME,
    "updated_at": "2026-11-22T02:37:57.640Z",
    "queued_at": TIME,
    "started_at": "2026-11-22T02:37:57.640Z",
    "first_frame_at": "2026-11-22T02:37:57.910Z",
    "paused_at": None,
    "ending_at": None,
    "ended_at": None,
    "failed_at": None,
    "finished_at": None,
    "last_active_at": None,
    "archived_at": None,
    "kind": "voice",
    "start_at": None,
    "prompt": None,
    "data": None,
    "end_reason": None,
    "error": None,
    "epoch": 1,
    "message_count": 0,
    "usage": {
        "billable_seconds": 12,
        "billable_ms": 12480,
        "frames": 2431,
        "audio_ms_received": 24310,
        "as_of": "2026-11-22T02:38:10.120Z",
    },
}

HEX_SESSION: dict[str, Any] = {
    **SESSION,
    "id": "session_019ac4f2f05726d343e91e360750b00a",
    "status": "active",
    "organization_id": "org_019ac4f00000b9369a1f48f1b03a8580",
}


def page(*data: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    """A list with these items."""
    return {"object": "list", "data": list(data), "has_more": cursor is not None, "next_cursor": cursor}


_TRANSITION: dict[str, Any] = {
    "seq": 4,
    "status_from": "starting",
    "status_to": "running",
    "occurred_at": "2026-11-22T02:37:57.640Z",
    "epoch": 1,
    "code": None,
    "fault": None,
}
TRANSITION = {"object": "transition", **_TRANSITION}
EVENT = {
    "id": "evt_01KB2F5WK0Q4V9M7T8Y6R3N1C0",
    "object": "event",
    "session_id": SESSION_ID,
    "type": "session.running",
    "data": {},
    **_TRANSITION,
}
MESSAGE = {
    "id": "msg_01KB2F6A00Q4V9M7T8Y6R3N1C0",
    "object": "message",
    "session_id": SESSION_ID,
    "seq": 3,
    "role": "user",
    "speaker": None,
    "identity": None,
    "content": "Please continue with the implementation",
    "text": "Please continue with the implementation",
    "source": "api",
    "status": "sent",
    "created_at": TIME,
    "delivered_at": "2026-11-22T02:37:57.140Z",
}
CREATE_TASK_SESSION = {"agent_id": "CLAUDE_CODE", "task_id": "task-xyz", "prompt": "Initial prompt for the session"}
CREATED_TASK_SESSION = {
    "id": SESSION_ID,
    "agent_id": "CLAUDE_CODE",
    "task_id": "task-xyz",
    "status": "created",
    "created_at": TIME,
}
TASK_SESSION = {**CREATED_TASK_SESSION, "status": "active", "last_active": TIME, "message_count": 42}
TASK_SESSION_DETAILS = {
    **TASK_SESSION,
    "data": {"workdir": "/path/to/project", "model": "claude-3-sonnet"},
}
SENT_MESSAGE = {"message_id": "msg_01KB2F6A00Q4V9M7T8Y6R3N1C0", "status": "sent", "timestamp": TIME}
RECORDING = {
    "object": "recording",
    "id": "rec_01KB2F9999Q4V9M7T8Y6R3N1C0",
    "session_id": SESSION_ID,
    "state": "incomplete",
    "reason": None,
    "layout": "stereo",
    "on_pause": "silence",
    "sample_rate": 48000,
    "channels": 2,
    "duration_ms": 61240,
    "size_bytes": 11758124,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "peak_dbfs": -6.1,
    "current_peak_dbfs": None,
    "tracks": [],
    "gaps": [{"start_ms": 20110, "end_ms": 21870, "code": "gap.worker_lost"}],
    "finalized_at": "2026-11-22T02:39:02.004Z",
}
AUDIO_LINK = {
    "object": "audio_link",
    "session_id": SESSION_ID,
    "url": "https://parley.example/v1/objects/sessions/sess_01/conversation.wav?expires=1795230000&signature=…",
    "expires_at": "2026-11-22T03:38:00.000Z",
}
USAGE_EVENT = {
    "id": "ue_6QZ1V6C0J8Q4V9M7T8Y6R3N1C0",
    "object": "usage_event",
    "session_id": SESSION_ID,
    "epoch": 1,
    "kind": "accrual",
    "from_ms": 0,
    "to_ms": 60012,
    "milliseconds": 60012,
    "quality": "standard",
    "multiplier": "1.000",
    "credits": "60.012",
    "external_customer_id": None,
    "recorded_at": "2026-11-22T02:38:58.001Z",
}
AGENT_SESSION: dict[str, Any] = {
    "object": "agent_session",
    "key": SESSION_ID,
    "agent_id": AGENT_ID,
    "label": "Refund of order 4711",
    "status": "running",
    "kind": "voice",
    "preview": "Hello, I would like to return my order.",
    "output_preview": "I am sorry to hear that. What is its number?",
    "message_count": 2,
    "created_at": 1795315077123,
    "updated_at": 1795315077640,
    "last_active_at": 1795315090120,
    "archived_at": None,
}
ARCHIVED_AGENT_SESSION = {**AGENT_SESSION, "status": "ended", "archived_at": 1795318000000}
HISTORY_MESSAGE: dict[str, Any] = {
    "object": "message",
    "id": "msg_01KB2F5WK0Q4V9M7T8Y6R3N1C0",
    "seq": 1,
    "role": "user",
    "identity": "alice",
    "content": [{"type": "text", "text": "Hello, I would like to return my order."}],
    "created_at": 1795315080000,
}
API_KEY: dict[str, Any] = {
    "id": API_KEY_ID,
    "object": "api_key",
    "organization_id": "org_01KB2F0000Q4V9M7T8Y6R3N1C0",
    "kind": "agent",
    "agent_id": AGENT_ID,
    "name": "support bot",
    "scopes": ["sessions:read", "sessions:write"],
    "prefix": "parley_agent_",
    "last_four": "hW4k",
    "created_at": TIME,
    "expires_at": "2027-11-22T00:00:00.000Z",
    "revoked_at": None,
    "last_used_at": None,
}
NEW_API_KEY: dict[str, Any] = {**API_KEY, "key": "<the key: shown now and never again>"}
CREATE_AGENT_KEY: dict[str, Any] = {
    "kind": "agent",
    "agent_id": AGENT_ID,
    "scopes": ["sessions:read", "sessions:write"],
    "expires_at": "2027-11-22T00:00:00.000Z",
    "name": "support bot",
}
_SUMS = {"milliseconds": 5_412_870, "billable_seconds": 5412, "credits": "5412.870", "events": 97}
USAGE = {
    "object": "usage",
    "period": {
        "start": "2026-10-31T23:00:00.000Z",
        "end": "2026-11-30T23:00:00.000Z",
        "time_zone": "Europe/Berlin",
        "as_of": "2026-11-22T02:37:27.123Z",
        "complete": False,
    },
    "totals": _SUMS,
    "group_by": "quality",
    "groups": [{**_SUMS, "object": "usage_group", "group_by": "quality", "value": "standard"}],
    "has_more": False,
    "next_cursor": None,
}
CODE = {
    "object": "code",
    "code": "end.max_duration",
    "kind": "end",
    "fault": "none",
    "retryable": False,
    "billable": True,
    "http_status": None,
    "help": "max_duration_seconds have passed.",
}
OPENAPI = {"openapi": "3.1.1", "info": {"title": "Parley", "version": "0.1.0"}, "paths": {}}
DEPENDENCIES = {"database": "ok", "storage": "ok"}
ERROR = {
    "error": {
        "type": "invalid_request",
        "code": "transport.unsupported",
        "message": "transport.type=pipecat is reserved and not yet available",
        "param": "transport.type",
        "request_id": "req_01HXY5K8E7QYG3X8Z6N9R7S0VR",
    }
}

SESSION_STATUS: dict[str, Any] = {
    "success": True,
    "sessionId": SESSION_ID,
    "type": "project",
    "projectId": "proj_42",
    "status": "running",
    "agentId": "agent_0f8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c",
    "wsUrl": "wss://my-app.livekit.cloud",
    "createdAt": TIME,
    "updatedAt": "2026-11-22T02:37:57.640Z",
}

SESSION_AUDIO: dict[str, Any] = {
    "success": True,
    "sessionId": SESSION_ID,
    "audioUrl": f"https://parley.example.com/v1/objects/sessions/{SESSION_ID}/conversation.wav?expires=…&signature=…",
}

TRANSCRIPT: dict[str, Any] = {
    "object": "transcript",
    "session_id": SESSION_ID,
    "status": "available",
    "engine": "pocketsphinx",
    "model": "en-us",
    "language": "en",
    "error": None,
    "segments": [
        {
            "seq": 1,
            "speaker": "Alice",
            "identity": "alice",
            "role": "user",
            "text": "can you hear me",
            "start_ms": 2010,
            "end_ms": 3010,
            "final": True,
            "confidence": 0.8654,
            "words": [{"text": "can", "start_ms": 2010, "end_ms": 2220, "confidence": 0.5172}],
            "source": "speech",
        }
    ],
}

_SUMMARY: dict[str, Any] = {
    "title": "Only Postgres, and it brings one along",
    "summary": "alice: Only Postgres, and it brings one along. bob: Good. Then let us hang up, and look at the file.",
    "key_points": ["Only Postgres, and it brings one along."],
    "action_items": ["bob: Then let us hang up, and look at the file."],
    "participants": [{"identity": "alice", "speaker": "Alice", "role": "user"}],
    "talk_time_ms": {"alice": 6170},
    "language": "en",
    "engine": "extractive",
    "model": "lexrank",
    "transcript_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_RUN_ID = "run_01KB2F9XG4Q4V9M7T8Y6R3N1C0"

SUMMARY: dict[str, Any] = {
    "object": "summary",
    "session_id": SESSION_ID,
    "status": "available",
    "workflow_id": f"summary-{SESSION_ID}",
    "run_id": _RUN_ID,
    "is_current": True,
    "requested_at": TIME,
    "finished_at": "2026-11-22T02:37:59.004Z",
    "error": None,
    "content": _SUMMARY,
}

GENERATING_SUMMARY: dict[str, Any] = {
    **SUMMARY,
    "status": "generating",
    "is_current": False,
    "finished_at": None,
    "content": None,
}

SESSION_TRANSCRIPT: dict[str, Any] = {"success": True, "sessionId": SESSION_ID, "transcript": TRANSCRIPT}

SESSION_SUMMARY: dict[str, Any] = {"success": True, "sessionId": SESSION_ID, "summary": _SUMMARY}

SESSION_SUMMARY_GENERATING: dict[str, Any] = {
    "success": False,
    "sessionId": SESSION_ID,
    "generating": True,
    "workflowId": f"summary-{SESSION_ID}",
    "runId": _RUN_ID,
}

SESSION_SUMMARY_REGENERATING: dict[str, Any] = {
    "success": True,
    "sessionId": SESSION_ID,
    "workflowId": f"summary-{SESSION_ID}",
    "runId": _RUN_ID,
}
