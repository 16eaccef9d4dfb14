"""Examples of transitions and events for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import SESSION_ID

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
