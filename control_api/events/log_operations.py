"""The operations on an organization's log of events."""

from control_api.events import log_examples, log_routes
from control_api.events.log_models import EventTypeList, OrganizationEventList
from control_api.events.log_query import EVENT_FILTER, after_cursor
from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import page_size

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
        handler=log_routes.list_organization_events,
        query=(after_cursor(), *EVENT_FILTER, page_size(default=100, most=500)),
        answers=(Answer(200, "A page of events.", OrganizationEventList, log_examples.EVENT_LIST),),
        errors=("cursor.expired", "cursor.unknown", "id.invalid"),
        error_descriptions={410: "Events behind the cursor are not kept any more."},
    ),
    Operation(
        name="list_event_types",
        method="GET",
        path="/v1/event_types",
        tag="Events",
        summary="List every type of event",
        handler=log_routes.list_event_types,
        answers=(Answer(200, "The closed list.", EventTypeList, page(log_examples.EVENT_TYPE)),),
    ),
)
