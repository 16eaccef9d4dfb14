"""What a test sends: a body as an event has it, which is in no log."""

import json
from uuid import UUID

from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.events.event import API_VERSION
from store.webhooks.delivery_queue import DueDelivery


def sample_event(organization_id: UUID, endpoint_id: UUID, due: DueDelivery) -> bytes:
    """JSON, the same in each attempt."""
    body = {
        "id": format_id("evt", due.event_id),
        "object": "event",
        "type": due.event_type,
        "created_at": format_timestamp(due.created_at),
        "organization_id": format_id("org", organization_id),
        "session_id": None,
        "seq": None,
        "cursor": None,
        "api_version": API_VERSION,
        "data": {"endpoint_id": format_id("whe", endpoint_id), "session": None},
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
