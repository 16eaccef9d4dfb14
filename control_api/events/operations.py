"""The operations that read what happened to a session."""

from control_api.events import examples, routes
from control_api.events.models import EventList, Timeline
from control_api.events.organization_examples import STREAM
from control_api.events.organization_operations import ERROR_DESCRIPTIONS, ERRORS, REQUEST_HEADERS
from control_api.events.streams.event_stream import EVENT_STREAM
from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import after_seq, page_size
from control_api.sessions.one_session import ONE_SESSION

SESSION_LOG_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_timeline",
        method="GET",
        path=ONE_SESSION + "/timeline",
        tag="Sessions",
        summary="Status transitions of a session, oldest first",
        scope="sessions:read_metadata",
        handler=routes.get_timeline,
        answers=(Answer(200, "Every transition.", Timeline, page(examples.TRANSITION)),),
    ),
    Operation(
        name="list_events",
        method="GET",
        path=ONE_SESSION + "/events",
        tag="Sessions",
        summary="Every event of a session, oldest first",
        scope="sessions:read",
        handler=routes.list_events,
        query=(after_seq("events"), page_size()),
        request_headers=REQUEST_HEADERS,
        answers=(
            Answer(
                200,
                "A page of events; or, for who accepts text/event-stream, a stream as at …/events/stream.",
                EventList,
                page(examples.EVENT, cursor="4"),
                media_types={EVENT_STREAM: STREAM},
            ),
            Answer(204, "For streams: the session is over, and nothing is left to send."),
        ),
        errors=("not_acceptable", *ERRORS),
        error_descriptions=ERROR_DESCRIPTIONS,
    ),
)
