"""The operations on an organization's log of events."""

from control_api.events import organization_examples, organization_routes
from control_api.events.organization_models import EventTypeList, OrganizationEventList
from control_api.events.organization_query import EVENT_FILTER, after_cursor, event_types
from control_api.events.streams import stream_routes
from control_api.events.streams.event_stream import EVENT_STREAM, KEEPALIVE_SECONDS, LAST_EVENT_ID
from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import choice, page_size
from control_api.sessions.one_session import ONE_SESSION

STREAMS = (
    "Server-sent events: id is the cursor, event the type, data the body. Go on with Last-Event-ID, as browsers do by "
    f"themselves, or with after. A comment comes every {KEEPALIVE_SECONDS:.0f} s. The stream ends when the key is "
    "revoked, when the server stops (another one answers), and when the client does not read; no event is missing for "
    "who goes on."
)
ERRORS = ("cursor.expired", "cursor.unknown", "id.invalid", "rate_limit.streams")
ERROR_DESCRIPTIONS = {410: "Events behind the cursor are not kept any more."}
REQUEST_HEADERS = {LAST_EVENT_ID: ("For streams: the cursor to go on from; instead of after.", after_cursor().schema)}

EVENT_LOG_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="list_organization_events",
        method="GET",
        path="/v1/events",
        tag="Events",
        summary="List what happened to all sessions, oldest first",
        description=(
            "The organization's log, in one order. Nothing is ever inserted before what has been read: who goes on "
            "with after=cursor misses no event, however late it was committed. Events stay for "
            "PARLEY_EVENT_RETENTION_DAYS (30), also those of sessions that were deleted, without their content. "
            "Without after: from the oldest."
        ),
        scope="sessions:read_metadata",
        handler=organization_routes.list_organization_events,
        query=(after_cursor(), *EVENT_FILTER, page_size(default=100, most=500)),
        request_headers=REQUEST_HEADERS,
        answers=(
            Answer(
                200,
                "A page of events; or, for who accepts text/event-stream, a stream as at /v1/events/stream.",
                OrganizationEventList,
                organization_examples.EVENT_LIST,
                media_types={EVENT_STREAM: organization_examples.STREAM},
            ),
        ),
        errors=("not_acceptable", *ERRORS),
        error_descriptions=ERROR_DESCRIPTIONS,
    ),
    Operation(
        name="stream_organization_events",
        method="GET",
        path="/v1/events/stream",
        tag="Events",
        summary="Follow what happens to all sessions",
        description=f"{STREAMS} Without a cursor: from now on.",
        scope="sessions:read_metadata",
        handler=stream_routes.stream_organization_events,
        query=(after_cursor(), *EVENT_FILTER),
        request_headers=REQUEST_HEADERS,
        answers=(Answer(200, "Events as they happen.", media_types={EVENT_STREAM: organization_examples.STREAM}),),
        errors=ERRORS,
        error_descriptions=ERROR_DESCRIPTIONS,
    ),
    Operation(
        name="stream_session_events",
        method="GET",
        path=ONE_SESSION + "/events/stream",
        tag="Events",
        summary="Follow what happens to a session",
        description=(
            f"{STREAMS} Without a cursor: from the session's beginning. The stream ends behind the event that ends the "
            "session. Of a session that is over, the rest is sent; 204 when nothing is left, which tells browsers not "
            "to come back. With live=true it has messages besides that are no events, so they have no id: live.segment "
            "(a segment of the transcript, when it was just said or written) and live.level (peak_dbfs of the last "
            "beat, billable_ms, frames). Who reads the transcript once when the stream has begun, also each time that "
            "it has begun again, lacks no segment; some come twice then, with the same seq."
        ),
        scope="sessions:read",
        handler=stream_routes.stream_session_events,
        query=(
            after_cursor(),
            event_types(),
            choice("live", "Whether to send what is said, and the level, as it comes.", ("true", "false"), "false"),
        ),
        request_headers=REQUEST_HEADERS,
        answers=(
            Answer(200, "Events as they happen.", media_types={EVENT_STREAM: organization_examples.STREAM}),
            Answer(204, "The session is over, and nothing is left to send."),
        ),
        errors=ERRORS,
        error_descriptions=ERROR_DESCRIPTIONS,
    ),
    Operation(
        name="list_event_types",
        method="GET",
        path="/v1/event_types",
        tag="Events",
        summary="List every type of event",
        handler=organization_routes.list_event_types,
        answers=(Answer(200, "The closed list.", EventTypeList, page(organization_examples.EVENT_TYPE)),),
    ),
)
