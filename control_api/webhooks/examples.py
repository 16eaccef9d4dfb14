"""Examples of webhook endpoints and deliveries for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import DELIVERY_ID, SESSION_ID, TIME, WEBHOOK_ENDPOINT_ID

CREATE: dict[str, Any] = {
    "url": "https://hooks.example.com/parley",
    "event_types": ["session.*", "recording.available"],
    "description": "billing",
}
ENDPOINT: dict[str, Any] = {
    "id": WEBHOOK_ENDPOINT_ID,
    "object": "webhook_endpoint",
    "organization_id": "org_01KB2F0000Q4V9M7T8Y6R3N1C0",
    "agent_id": None,
    **CREATE,
    "includes_content": True,
    "status": "enabled",
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": None,
    "old_secret_until": None,
    "replaying_since": None,
    "created_at": TIME,
    "updated_at": TIME,
}
NEW_ENDPOINT: dict[str, Any] = {**ENDPOINT, "secret": "<whsec_…: shown now and never again>"}
DISABLED: dict[str, Any] = {
    **ENDPOINT,
    "status": "disabled",
    "disabled_reason": "requested",
    "disabled_at": TIME,
}
REPLAYING: dict[str, Any] = {**ENDPOINT, "replaying_since": TIME}
DELIVERY: dict[str, Any] = {
    "id": DELIVERY_ID,
    "object": "webhook_delivery",
    "endpoint_id": WEBHOOK_ENDPOINT_ID,
    "event_id": "evt_01KB2F5W2Q4V9M7T8Y6R3N1C0A",
    "event_type": "session.ended",
    "session_id": SESSION_ID,
    "state": "succeeded",
    "created_at": TIME,
    "next_attempt_at": None,
    "finished_at": TIME,
    "attempts": [{"at": TIME, "ms": 41, "status": 204, "error": None, "answer": ""}],
}
PENDING: dict[str, Any] = {
    **DELIVERY,
    "state": "pending",
    "next_attempt_at": TIME,
    "finished_at": None,
    "attempts": [{"at": TIME, "ms": 15000, "status": None, "error": "timeout", "answer": None}],
}
TEST: dict[str, Any] = {**DELIVERY, "event_type": "webhook_endpoint.test", "session_id": None}
