"""The operations on sessions of tasks: `/api/sessions`."""

from functools import partial
from typing import get_args

from control_api.adapters.task_sessions import examples, routes
from control_api.adapters.task_sessions.models import (
    CreatedTaskSession,
    CreateTaskSessionRequest,
    SendMessageRequest,
    SentMessage,
    TaskSessionDetails,
    TaskSessionList,
    TaskStatus,
    UpdateTaskSessionRequest,
)
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.path_parameters import SESSION_LEADS_TO
from control_api.http.requests.query_parameters import QueryParameter, identifier, page_size, text
from control_api.messages.delivery import DELIVERY_SECONDS
from control_api.sessions.bodies.transport_reading import TRANSPORT_CODES
from control_api.sessions.one_session import ERASURE_CODES

_ALL = "/api/sessions"
_ONE = _ALL + "/{session_id}"
_STATUS = QueryParameter(
    "status",
    routes.statuses_of,
    {"type": "string", "enum": list(get_args(TaskStatus))},
    "Filter by status",
)
_DETAILS = Answer(200, "The session.", TaskSessionDetails, examples.TASK_SESSION_DETAILS)

_operation = partial(Operation, tag="Session API")

TASK_SESSION_OPERATIONS: tuple[Operation, ...] = (
    _operation(
        name="list_task_sessions",
        method="GET",
        path=_ALL,
        summary="List sessions",
        description="Sessions that are not archived, newest first.",
        scope="sessions:read_metadata",
        handler=routes.list_task_sessions,
        query=(
            text("task_id", "Filter by task"),
            text("agent_id", "Filter by agent"),
            _STATUS,
            page_size(default=100),
            identifier("starting_after", "The last id of the page before.", "sess"),
        ),
        answers=(Answer(200, "Sessions.", TaskSessionList, {"sessions": [examples.TASK_SESSION]}),),
        errors=("status.unknown",),
    ),
    _operation(
        name="create_task_session",
        counts_as="create",
        method="POST",
        path=_ALL,
        summary="Create session",
        description=(
            "Creates a text session, which has no worker and no bill; with data.transport a voice session, which is "
            "recorded as by POST /v1/sessions."
        ),
        scope="sessions:write",
        handler=routes.create_task_session,
        body=CreateTaskSessionRequest,
        made_at=_ALL + "/{id}",
        request_examples={"text": examples.CREATE_TASK_SESSION},
        answers=(
            Answer(
                201,
                "The session.",
                CreatedTaskSession,
                examples.CREATED_TASK_SESSION,
                leads_to=SESSION_LEADS_TO,
            ),
        ),
        errors=TRANSPORT_CODES,
    ),
    _operation(
        name="get_task_session",
        method="GET",
        path=_ONE,
        summary="Get session details",
        scope="sessions:read",
        handler=routes.get_task_session,
        answers=(_DETAILS,),
    ),
    _operation(
        name="update_task_session",
        method="PATCH",
        path=_ONE,
        summary="Update session",
        description=(
            "status is a command: paused, active or completed. data is merged member by member, and null deletes a "
            "member. prompt replaces the old one. If a part is refused, nothing is changed."
        ),
        scope="sessions:write",
        handler=routes.update_task_session,
        body=UpdateTaskSessionRequest,
        request_examples={"pause": {"status": "paused", "data": {"notes": "Paused for review"}}},
        answers=(_DETAILS,),
        errors=("status.unknown", "transition.invalid", "quota.sessions", *TRANSPORT_CODES),
    ),
    _operation(
        name="delete_task_session",
        method="DELETE",
        path=_ONE,
        summary="Delete session",
        description=(
            "Erases the session's content for good; the usage ledger stays. While a voice session is starting, "
            "running, paused or ending, the answer is 409 session.active: end it first."
        ),
        scope="sessions:delete",
        handler=routes.delete_task_session,
        answers=(Answer(204, "Deleted."),),
        errors=ERASURE_CODES,
    ),
    _operation(
        name="send_task_message",
        counts_as="message",
        method="POST",
        path=_ONE + "/message",
        summary="Send message",
        description=(
            f"status is sent if the message was in the room within {DELIVERY_SECONDS:g} s, otherwise queued; in a text "
            "session it is always sent."
        ),
        scope="sessions:write",
        handler=routes.send_task_message,
        body=SendMessageRequest,
        request_examples={"message": {"content": "Please continue with the implementation"}},
        answers=(Answer(201, "The message.", SentMessage, examples.SENT_MESSAGE),),
        errors=("session.not_running",),
    ),
)
