"""Examples of an organization's events for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import AGENT_ID, SESSION_ID
from sessions.events.event_type import EventType
from sessions.events.event_types import EVENT_TYPES

_ORGANIZATION_ID = "org_01KB2F5W00000000000000000A"
_CURSOR = "evc_00000000000J1GH7T8Y6R3N1C0"
_STATUS = {"session.ended": "ended", "session.failed": "failed", "session.canceled": "canceled"}
_RUNS = {"retrying": "running", "resumed": "running"}


def event_example(event_type: EventType) -> dict[str, Any]:
    """A body of this type."""
    facts = {fact.name: fact.example for fact in event_type.facts}
    status = _STATUS.get(event_type.name, "running")
    if "status_to" in facts:
        word = event_type.name.partition(".")[2]
        status = facts["status_to"] = _RUNS.get(word, word)
    return {
        "id": "evt_01KB2F5WK0Q4V9M7T8Y6R3N1C0",
        "object": "event",
        "type": event_type.name,
        "created_at": "2026-11-22T02:37:57.640Z",
        "organization_id": _ORGANIZATION_ID,
        "session_id": SESSION_ID,
        "seq": 4,
        "cursor": _CURSOR,
        "api_version": "v1",
        "data": {
            **facts,
            "session": {
                "id": SESSION_ID,
                "status": status,
                "agent_id": AGENT_ID,
                "task_id": None,
                "project_id": None,
                "external_customer_id": "customer-42",
                "metadata": {"case": "4711"},
                "end_reason": None,
                "error": None,
                "usage": {
                    "billable_seconds": 0,
                    "billable_ms": 0,
                    "credited_ms": 0,
                    "frames": 0,
                    "audio_ms_received": 0,
                    "as_of": None,
                    "provisional": True,
                },
            },
        },
    }


EVENT = event_example(EVENT_TYPES["session.running"])
EVENT_LIST = {"object": "list", "data": [EVENT], "has_more": True, "next_cursor": _CURSOR, "cursor": _CURSOR}
STREAM = f"retry: 2000\n\nid: {_CURSOR}\nevent: session.running\ndata: {{…}}\n\n"
EVENT_TYPE = {
    "object": "event_type",
    "type": "session.updated",
    "description": EVENT_TYPES["session.updated"].help,
    "data": [{"name": "fields", "description": "The fields that changed.", "content": False}],
    "example": event_example(EVENT_TYPES["session.updated"]),
}
