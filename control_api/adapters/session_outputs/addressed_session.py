"""Which session a request to a flat path means: `sessionId`, and what kind of session that has to be.

A `project` session has a `project_id`, an `instant` one has none. A session of the other kind, or of another project,
is answered like one that doesn't exist.
"""

from control_api.http.requests.call import Call
from control_api.http.requests.query_parameters import QueryParameter
from sessions.errors import ParleyError, session_not_found
from sessions.ids import id_pattern, parse_id
from sessions.session import Session
from sessions.texts.text_bounds import NO_NUL, SHORT_CHARACTERS

SESSION_ID = QueryParameter(
    "sessionId", str, {"type": "string", "pattern": id_pattern("sess")}, "The session.", "", required=True
)
TYPE = QueryParameter(
    "type",
    str,
    {"type": "string", "enum": ["project", "instant"]},
    "project: the session has a project_id; instant: it has none.",
    "",
    required=True,
)


def _project_id(text: str) -> str:
    if len(text) > SHORT_CHARACTERS or "\0" in text:
        raise ValueError(f"must have at most {SHORT_CHARACTERS} characters, none of them NUL")
    return text


PROJECT_ID = QueryParameter(
    "projectId",
    _project_id,
    {"type": "string", "maxLength": SHORT_CHARACTERS, "pattern": NO_NUL},
    "The session's project_id. Required if type=project.",
    "",
)

# 1, true and yes, and their opposites for clients that always send the parameter. Read in any case.
_INSTANT_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def _is_instant(word: str) -> bool:
    if word.lower() not in _INSTANT_WORDS:
        raise ValueError('must be "1", "true" or "yes"')
    return _INSTANT_WORDS[word.lower()]


INSTANT = QueryParameter(
    "instant_voice_links",
    _is_instant,
    {"type": "string", "pattern": "^([01]|[Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo])$"},
    "1, true or yes for an instant-link session, which has no project_id. 0, false and no are as if left out.",
    False,
)


async def addressed_session(call: Call) -> Session:
    """The session that `sessionId`, `type` and `projectId` of the query name.

    Raises:
        ParleyError: `parameter.required`, `id.invalid`, `not_found`.
    """
    if not call.query["sessionId"]:
        raise ParleyError("parameter.required", "sessionId is required", param="sessionId")
    if call.query["type"] not in ("project", "instant"):
        raise ParleyError("parameter.required", 'type must be "project" or "instant"', param="type")
    project_id: str = call.query["projectId"]
    if call.query["type"] == "project" and not project_id:
        raise ParleyError("parameter.required", "projectId is required when type=project", param="projectId")
    session = await session_of(call, call.query["sessionId"])
    if call.query["type"] == "instant":
        if session.project_id is not None or project_id:
            raise session_not_found()
    elif session.project_id != project_id:
        raise session_not_found()
    return session


async def session_of(call: Call, session_id: str) -> Session:
    """The caller's session with this id, in either spelling.

    Raises:
        ParleyError: `id.invalid`, `not_found`.
    """
    parsed = parse_id("sess", session_id, param="sessionId")
    try:
        session = await call.dependencies.sessions.queries.get(call.organization_id, parsed)
    except ParleyError as error:
        if error.code != "not_found":
            raise
        raise session_not_found() from None
    if call.agent not in (None, session.agent_id):
        raise session_not_found()
    call.session = session.id
    return session
