"""`GET /v1/events` and `GET /v1/event_types`."""

import json

from aiohttp import web

from control_api.events.organization_examples import event_example
from control_api.events.organization_models import EventFact, EventTypeEntry, EventTypeList
from control_api.events.organization_query import asked_events
from control_api.events.streams.event_stream import EVENT_STREAM
from control_api.events.streams.stream_routes import last_event_id, stream_organization_events
from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.accepted_media_type import accepted_media_type
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import ORGANIZATION_EVENTS
from sessions.events.event_types import EVENT_TYPES
from store.events.cursor import BEGINNING
from store.events.organization_events import EventPage

JSON = "application/json"


async def list_organization_events(call: Call) -> web.StreamResponse:
    """A page of the organization's events, oldest first, or a stream of them."""
    if accepted_media_type(call.request.headers, (JSON, EVENT_STREAM)) == EVENT_STREAM:
        return await stream_organization_events(call)
    last_event_id(call)  # a list has no use for it, but refuses a wrong one as a stream does
    asked, after = asked_events(call), call.query["after"]
    if asked is None:
        return _answer(EventPage((), after or BEGINNING, has_more=False), content=False)
    page = await call.request.app[ORGANIZATION_EVENTS].after(
        call.organization_id,
        after,
        types=asked.types,
        session_id=asked.session_id,
        agent_id=asked.agent_id,
        limit=call.query["limit"],
    )
    return _answer(page, content=call.reads_content)


async def list_event_types(call: Call) -> web.StreamResponse:
    """The closed list."""
    data = [
        EventTypeEntry(
            object="event_type",
            type=event_type.name,
            description=event_type.help,
            data=[
                EventFact(name=fact.name, description=fact.description, content=fact.content)
                for fact in event_type.facts
            ],
            example=event_example(event_type),
        )
        for event_type in EVENT_TYPES.values()
    ]
    return json_answer(EventTypeList.whole(data))


def _answer(page: EventPage, *, content: bool) -> web.Response:
    """`OrganizationEventList`, around the very bytes that streams and webhooks carry."""
    following = str(page.cursor) if page.has_more else None
    rest = json.dumps({"has_more": page.has_more, "next_cursor": following, "cursor": str(page.cursor)})
    bodies = b",".join(event.body(content=content) for event in page.events)
    return json_answer(b'{"object":"list","data":[' + bodies + b"]," + rest[1:].encode())
