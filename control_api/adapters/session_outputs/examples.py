"""Examples of what a session left behind for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import SESSION_ID, TIME
from control_api.outputs.transcripts.examples import RUN_ID, SUMMARY_CONTENT, TRANSCRIPT

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

SESSION_TRANSCRIPT: dict[str, Any] = {"success": True, "sessionId": SESSION_ID, "transcript": TRANSCRIPT}

SESSION_SUMMARY: dict[str, Any] = {"success": True, "sessionId": SESSION_ID, "summary": SUMMARY_CONTENT}

SESSION_SUMMARY_GENERATING: dict[str, Any] = {
    "success": False,
    "sessionId": SESSION_ID,
    "generating": True,
    "workflowId": f"summary-{SESSION_ID}",
    "runId": RUN_ID,
}

SESSION_SUMMARY_REGENERATING: dict[str, Any] = {
    "success": True,
    "sessionId": SESSION_ID,
    "workflowId": f"summary-{SESSION_ID}",
    "runId": RUN_ID,
}

REGENERATE_SUMMARY: dict[str, Any] = {"sessionId": SESSION_ID, "instant_voice_links": True}
