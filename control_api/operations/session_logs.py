"""The operations that read what happened to a session."""

from control_api import examples
from control_api.operation import Answer, Operation
from control_api.operations.one_session import ONE_SESSION
from control_api.query_parameters import after_seq, page_size
from control_api.routes import session_logs
from control_api.schemas.logs import EventList, Timeline

SESSION_LOG_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_timeline",
        method="GET",
        path=ONE_SESSION + "/timeline",
        tag="Sessions",
        summary="Status transitions, oldest first",
        scope="sessions:read_metadata",
        handler=session_logs.get_timeline,
        answers=(Answer(200, "Every transition.", Timeline, examples.page(examples.TRANSITION)),),
    ),
    Operation(
        name="list_events",
        method="GET",
        path=ONE_SESSION + "/events",
        tag="Sessions",
        summary="Everything that happened, oldest first",
        scope="sessions:read",
        handler=session_logs.list_events,
        query=(after_seq("events"), page_size()),
        answers=(Answer(200, "A page of events.", EventList, examples.page(examples.EVENT, cursor="4")),),
    ),
)
