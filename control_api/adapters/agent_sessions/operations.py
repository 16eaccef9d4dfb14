"""The operations on an agent's sessions: `/v1/agents/{agent_id}/sessions`."""

from control_api.adapters.agent_sessions import examples, routes
from control_api.adapters.agent_sessions.dialect import AGENT_SESSIONS
from control_api.adapters.agent_sessions.models import AgentSessionList, History, RenameRequest
from control_api.http.answers.examples import page
from control_api.http.answers.models import EmptyRequest
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import after_seq, identifier, page_size

_TAG = "Agent sessions"
_ALL = "/v1/agents/{agent_id}/sessions"
_ONE = _ALL + "/{session_key}"
_ARCHIVED = _ALL + "/archived"
_KEYS = "API key sent as Bearer token. A master key sees every agent; an agent key its own, with specific permissions."
_DELETED = "Erases every byte of content; the usage ledger stays. A session that is active has to be ended before."
_NO_CONTENT = (Answer(204, "No content"),)


_PAGE = (page_size(), identifier("starting_after", "The last key of the page before.", "sess"))

AGENT_SESSION_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="list_agent_sessions",
        method="GET",
        path=_ALL,
        tag=_TAG,
        summary="List of sessions",
        description=f"Those that are not archived, newest first. {_KEYS}",
        scope="sessions:read_metadata",
        handler=routes.list_agent_sessions,
        query=_PAGE,
        answers=(Answer(200, "List of sessions", AgentSessionList, page(examples.AGENT_SESSION)),),
        dialect=AGENT_SESSIONS,
    ),
    Operation(
        name="list_archived_agent_sessions",
        method="GET",
        path=_ARCHIVED,
        tag=_TAG,
        summary="List of archived sessions",
        description="Newest first. An archived session still runs, bills and ends.",
        scope="sessions:read_metadata",
        handler=routes.list_archived_sessions,
        query=_PAGE,
        answers=(Answer(200, "List of archived sessions", AgentSessionList, page(examples.ARCHIVED_AGENT_SESSION)),),
        dialect=AGENT_SESSIONS,
    ),
    Operation(
        name="get_agent_session_history",
        method="GET",
        path=_ONE + "/history",
        tag=_TAG,
        summary="Session message history",
        description="Oldest first; content is a string or an array of content blocks.",
        scope="sessions:read",
        handler=routes.get_history,
        query=(after_seq("messages"), page_size()),
        answers=(Answer(200, "Session message history", History, page(examples.HISTORY_MESSAGE)),),
        dialect=AGENT_SESSIONS,
    ),
    Operation(
        name="rename_agent_session",
        method="POST",
        path=_ONE + "/rename",
        tag=_TAG,
        summary="Rename a session",
        description="The label is the session's title.",
        scope="sessions:write",
        handler=routes.rename_session,
        body=RenameRequest,
        request_examples={"label": {"label": "Refund of order 4711"}},
        answers=_NO_CONTENT,
        dialect=AGENT_SESSIONS,
    ),
    Operation(
        name="archive_agent_session",
        method="POST",
        path=_ONE + "/archive",
        tag=_TAG,
        summary="Archive a session",
        description="An archived session still runs, bills and ends. Archived already: 204.",
        scope="sessions:write",
        handler=routes.archive_session,
        body=EmptyRequest,
        body_required=False,
        request_examples={"empty": {}},
        answers=_NO_CONTENT,
        dialect=AGENT_SESSIONS,
    ),
    Operation(
        name="delete_agent_session",
        method="DELETE",
        path=_ONE,
        tag=_TAG,
        summary="Delete a session",
        description=_DELETED,
        scope="sessions:delete",
        handler=routes.delete_session,
        answers=_NO_CONTENT,
        errors=("session.active", "commit.unknown"),
        dialect=AGENT_SESSIONS,
    ),
    Operation(
        name="restore_agent_session",
        method="POST",
        path=_ARCHIVED + "/{session_key}/restore",
        tag=_TAG,
        summary="Restore an archived session",
        description="Not archived: 204.",
        scope="sessions:write",
        handler=routes.restore_session,
        body=EmptyRequest,
        body_required=False,
        request_examples={"empty": {}},
        answers=_NO_CONTENT,
        dialect=AGENT_SESSIONS,
    ),
    Operation(
        name="delete_archived_agent_session",
        method="DELETE",
        path=_ARCHIVED + "/{session_key}",
        tag=_TAG,
        summary="Delete an archived session",
        description=_DELETED,
        scope="sessions:delete",
        handler=routes.delete_archived_session,
        answers=_NO_CONTENT,
        errors=("session.active", "commit.unknown"),
        dialect=AGENT_SESSIONS,
    ),
)
