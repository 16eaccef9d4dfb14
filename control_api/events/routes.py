"""`GET …/timeline` and `GET …/events`."""

from collections.abc import AsyncGenerator

from aiohttp import web

from control_api.events.models import SessionEvent, StatusTransition
from control_api.events.streams.event_stream import EVENT_STREAM
from control_api.events.streams.stream_routes import last_event_id, stream_listed_session_events
from control_api.http.answers.list_pages import list_pages
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import BULK_QUERIES
from control_api.http.serving.long_answer import long_list
from sessions.ids import format_id
from sessions.texts.redaction import redact_value
from sessions.texts.timestamps import format_timestamp
from store.sessions.queries import SessionEvent as StoredEvent

JSON = "application/json"


async def get_timeline(call: Call) -> web.StreamResponse:
    """Every status transition, oldest first."""
    return await long_list(call, _transitions(call))


async def _transitions(call: Call) -> AsyncGenerator[tuple[list[StatusTransition], bool], None]:
    queries, after, has_more = call.dependencies.sessions.queries, 0, True
    while has_more:
        found, has_more = await queries.timeline(call.organization_id, call.session_id, after)
        yield [_transition(event) for event in found], has_more
        queries, after = call.request.app[BULK_QUERIES], found[-1].seq if found else after


def _transition(event: StoredEvent) -> StatusTransition:
    return StatusTransition.model_validate(
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


async def list_events(call: Call) -> web.StreamResponse:
    """A page of everything that happened, oldest first, or a stream of it."""
    if accepted_media_type(call.request.headers, (JSON, EVENT_STREAM)) == EVENT_STREAM:
        return await stream_listed_session_events(call)
    last_event_id(call)  # a list has no use for it, but refuses a wrong one as a stream does
    return await long_list(call, _events(call), lambda last: str(last.seq))


def _events(call: Call) -> AsyncGenerator[tuple[list[SessionEvent], bool], None]:
    organization_id, session_id = call.organization_id, call.session_id
    return list_pages(
        (call.dependencies.sessions.queries, call.request.app[BULK_QUERIES]),
        lambda queries, after, limit: queries.events(organization_id, session_id, after=after, limit=limit),
        after=call.query["after"],
        limit=call.query["limit"],
        place=lambda event: event.seq,
        present=_present,
    )


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
