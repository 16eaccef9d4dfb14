"""The operations on an agent's sessions: `/v1/agents/{agent_id}/sessions`."""

from functools import partial

from control_api.adapters.agent_sessions import examples, routes
from control_api.adapters.agent_sessions.dialect import AGENT_SESSIONS
from control_api.adapters.agent_sessions.models import AgentSessionList, History, RenameRequest
from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation, command
from control_api.http.requests.query_parameters import after_seq, identifier, page_size
from control_api.sessions.one_session import ERASURE_CODES

_TAG = "Agent sessions"
_ALL = "/v1/agents/{agent_id}/sessions"
_ONE = _ALL + "/{session_key}"
_ARCHIVED = _ALL + "/archived"
_KEYS = (
    "API key sent as Bearer token. A master key sees every agent; an agent key sees its own, with specific permissions."
)
_DELETED = (
    "Erases the session's content for good; the usage ledger stays. While a voice session is starting, running, paused "
    "or ending, the answer is 409 session.active: end it first."
)
_NO_CONTENT = (Answer(204, "No content"),)
_PAGE = (page_size(), identifier("starting_after", "The last key of the page before.", "sess"))

_operation = partial(Operation, tag=_TAG, dialect=AGENT_SESSIONS)
_command = partial(command, tag=_TAG, dialect=AGENT_SESSIONS, scope="sessions:write", answers=_NO_CONTENT)

AGENT_SESSION_OPERATIONS: tuple[Operation, ...] = (
    _operation(
        name="list_agent_sessions",
        method="GET",
        path=_ALL,
        summary="List of sessions",
        description=f"The agent's sessions that are not archived, newest first. {_KEYS}",
        scope="sessions:read_metadata",
        handler=routes.list_agent_sessions,
        query=_PAGE,
        answers=(Answer(200, "List of sessions", AgentSessionList, page(examples.AGENT_SESSION)),),
    ),
    _operation(
        name="list_archived_agent_sessions",
        method="GET",
        path=_ARCHIVED,
        summary="List of archived sessions",
        description="The agent's archived sessions, newest first. An archived session still runs, bills and ends.",
        scope="sessions:read_metadata",
        handler=routes.list_archived_sessions,
        query=_PAGE,
        answers=(Answer(200, "List of archived sessions", AgentSessionList, page(examples.ARCHIVED_AGENT_SESSION)),),
    ),
    _operation(
        name="get_agent_session_history",
        method="GET",
        path=_ONE + "/history",
        summary="Session message history",
        description="Oldest first; content is a string or an array of content blocks.",
        scope="sessions:read",
        handler=routes.get_history,
        query=(after_seq("messages"), page_size()),
        answers=(Answer(200, "Session message history", History, page(examples.HISTORY_MESSAGE)),),
    ),
    _operation(
        name="rename_agent_session",
        method="POST",
        path=_ONE + "/rename",
        summary="Rename a session",
        description="The label becomes the session's title.",
        scope="sessions:write",
        handler=routes.rename_session,
        body=RenameRequest,
        request_examples={"label": {"label": "Refund of order 4711"}},
        answers=_NO_CONTENT,
    ),
    _command(
        name="archive_agent_session",
        path=_ONE + "/archive",
        summary="Archive a session",
        description=(
            "Moves the session to the list of archived sessions; it still runs, bills and ends. An archived session "
            "stays archived: 204."
        ),
        handler=routes.archive_session,
    ),
    _operation(
        name="delete_agent_session",
        method="DELETE",
        path=_ONE,
        summary="Delete a session",
        description=_DELETED,
        scope="sessions:delete",
        handler=routes.delete_session,
        answers=_NO_CONTENT,
        errors=ERASURE_CODES,
    ),
    _command(
        name="restore_agent_session",
        path=_ARCHIVED + "/{session_key}/restore",
        summary="Restore an archived session",
        description="Moves the session back to the list of sessions. A session that is not archived stays there: 204.",
        handler=routes.restore_session,
    ),
    _operation(
        name="delete_archived_agent_session",
        method="DELETE",
        path=_ARCHIVED + "/{session_key}",
        summary="Delete an archived session",
        description=f"{_DELETED} A session that is not archived is not found here.",
        scope="sessions:delete",
        handler=routes.delete_archived_session,
        answers=_NO_CONTENT,
        errors=ERASURE_CODES,
    ),
)
