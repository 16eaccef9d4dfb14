"""`GET …/timeline` and `GET …/events`."""

from aiohttp import web

from control_api.events.event_stream import EVENT_STREAM
from control_api.events.models import EventList, SessionEvent, StatusTransition, Timeline
from control_api.events.stream_routes import last_event_id, stream_listed_session_events
from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.call import Call
from sessions.ids import format_id
from sessions.texts.redaction import redact_value
from sessions.timestamps import format_timestamp
from store.sessions.queries import SessionEvent as StoredEvent

JSON = "application/json"


async def get_timeline(call: Call) -> web.StreamResponse:
    """Every status transition, oldest first."""
    events = await call.dependencies.sessions.queries.timeline(call.organization_id, call.session_id)
    data = [
        StatusTransition.model_validate(
            {
                "object": "transition",
                "seq": event.seq,
                "status_from": event.status_from,
                "status_to": event.status_to,
                "occurred_at": format_timestamp(event.at),
                "epoch": event.epoch,
                "code": event.code,
                "fault": event.fault,
            }
        )
        for event in events
    ]
    return json_answer(Timeline.whole(data))


async def list_events(call: Call) -> web.StreamResponse:
    """A page of everything that happened, oldest first, or a stream of it."""
    if accepted_media_type(call.request.headers, (JSON, EVENT_STREAM)) == EVENT_STREAM:
        return await stream_listed_session_events(call)
    last_event_id(call)  # a list has no use for it, but refuses a wrong one as a stream does
    events, has_more = await call.dependencies.sessions.queries.events(
        call.organization_id, call.session_id, after=call.query["after"], limit=call.query["limit"]
    )
    data = [_present(event) for event in events]
    return json_answer(EventList.of(data, has_more, lambda last: str(last.seq)))


def _present(event: StoredEvent) -> SessionEvent:
    return SessionEvent.model_validate(
        {
            "id": format_id("evt", event.id),
            "object": "event",
            "session_id": format_id("sess", event.session_id),
            "seq": event.seq,
            "type": event.type,
            "occurred_at": format_timestamp(event.at),
            "epoch": event.epoch,
            "status_from": event.status_from,
            "status_to": event.status_to,
            "code": event.code,
            "fault": event.fault,
            "data": redact_value(event.data),
        }
    )
