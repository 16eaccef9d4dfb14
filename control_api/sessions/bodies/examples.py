"""Examples of sessions for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import AGENT_ID, SESSION_ID, TIME

CREATE_SESSION: dict[str, Any] = {
    "transport": {
        "type": "livekit",
        "url": "wss://my-app.livekit.cloud",
        "room_name": "support-4711",
        "worker_token": "<a LiveKit access token: roomJoin, room support-4711>",
    },
    "max_duration_seconds": 1800,
    "recording": {"layout": "stereo"},
    "transcription": {"language": "en"},
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

CREATE_ENCRYPTED_SESSION: dict[str, Any] = {
    "transport": {
        "type": "livekit",
        "url": "wss://my-app.livekit.cloud",
        "room_name": "support-4711",
        "worker_token": "<a LiveKit access token: roomJoin, room support-4711>",
        "e2ee": {"shared_key": "<the passphrase that the room's participants share>"},
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
        "e2ee": None,
    },
    "quality": "standard",
    "max_duration_seconds": 1800,
    "idle_timeout_seconds": 30,
    "recording": {"layout": "stereo", "on_pause": "silence", "formats": ["opus"], "tracks": False},
    "transcription": {"mode": "after", "language": "en"},
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
    "recording_state": "recording",
    "usage": {
        "billable_seconds": 12,
        "billable_ms": 12480,
        "credited_ms": 0,
        "frames": 2431,
        "audio_ms_received": 24310,
        "as_of": "2026-11-22T02:38:10.120Z",
        "provisional": True,
    },
    "participants": None,
}

LISTED_SESSION: dict[str, Any] = {
    **SESSION,
    "participants": {
        "data": [{"identity": "caller", "name": "Ann", "kind": "standard", "heard": None}],
        "has_more": False,
    },
}

HEX_SESSION: dict[str, Any] = {
    **SESSION,
    "id": "session_019ac4f2f05726d343e91e360750b00a",
    "status": "active",
    "organization_id": "org_019ac4f00000b9369a1f48f1b03a8580",
}
