"""Examples of agents' sessions for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import AGENT_ID, SESSION_ID

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
