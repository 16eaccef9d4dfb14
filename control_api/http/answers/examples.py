"""Values that examples of the OpenAPI document share: ids, an instant, a page, an error."""

from typing import Any

SESSION_ID = "sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
AGENT_ID = "agent_0f8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c"
API_KEY_ID = "key_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
WEBHOOK_ENDPOINT_ID = "whe_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
DELIVERY_ID = "dlv_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
TIME = "2026-11-22T02:37:57.123Z"


def page(*data: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    """A list with these items."""
    return {"object": "list", "data": list(data), "has_more": cursor is not None, "next_cursor": cursor}


ERROR = {
    "error": {
        "type": "invalid_request",
        "code": "transport.unsupported",
        "message": "transport.type=pipecat is reserved and not yet available",
        "param": "transport.type",
        "request_id": "req_01HXY5K8E7QYG3X8Z6N9R7S0VR",
    }
}
