"""Streams of events: of an organization, and of one session."""

from dataclasses import replace

from aiohttp import web

from control_api.events.organization_query import AskedEvents, asked_events
from control_api.events.streams.event_stream import LAST_EVENT_ID, EventStream
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import ORGANIZATION_EVENTS
from sessions.lifecycle.lifecycle import TERMINAL
from store.events.cursor import Cursor


async def stream_organization_events(call: Call) -> web.StreamResponse:
    """What happens from the cursor on; without one, from now on."""
    asked = asked_events(call) or AskedEvents(frozenset(), None, None)  # nothing that the key may read
    cursor = last_event_id(call) or call.query["after"]
    if cursor is None:
        cursor = await call.request.app[ORGANIZATION_EVENTS].newest_cursor(call.organization_id)
    return await EventStream(call, asked, cursor, of_session=False).answer()


async def stream_session_events(call: Call) -> web.StreamResponse:
    """What happened to the session behind the cursor, and happens until its end; without one, from its beginning."""
    return await _of_session(call, asked_events(call), call.query["after"], live=call.query["live"] == "true")


async def stream_listed_session_events(call: Call) -> web.StreamResponse:
    """The same at the address of the list, where `after` is the `seq` of an event."""
    asked = AskedEvents(None, call.session_id, call.agent)
    return await _of_session(call, replace(asked, after_seq=call.query["after"]), None)


async def _of_session(
    call: Call, asked: AskedEvents | None, after: Cursor | None, *, live: bool = False
) -> web.StreamResponse:
    assert asked is not None
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    stream = EventStream(call, asked, last_event_id(call) or after, of_session=True, live=live)
    return await stream.answer(over=session.status in TERMINAL)


def last_event_id(call: Call) -> Cursor | None:
    """Where a client is that comes back by itself; it still has its first `after` in the URL.

    Raises:
        ParleyError: `id.invalid`.
    """
    last = call.request.headers.get(LAST_EVENT_ID)
    return None if last is None else Cursor.parse(last.strip(), param=LAST_EVENT_ID)
