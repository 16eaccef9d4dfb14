"""The parameters that paths may have: how the OpenAPI document describes them, and how a request's are read."""

import re
from typing import Any

from control_api.http.answers.examples import AGENT_ID, API_KEY_ID, DELIVERY_ID, SESSION_ID, WEBHOOK_ENDPOINT_ID
from control_api.http.requests.call import Call
from sessions.errors import ParleyError
from sessions.ids import id_pattern, parse_id
from sessions.texts.text_bounds import NO_NUL, SHORT_CHARACTERS

_SESSION = {"type": "string", "pattern": id_pattern("sess")}
_AGENT = {"type": "string", "minLength": 1, "maxLength": SHORT_CHARACTERS, "pattern": NO_NUL}

# name → description, example, JSON Schema
PATH_PARAMETERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "session_id": ("sess_ and 26 characters, or session_ and 32 hex digits.", SESSION_ID, _SESSION),
    "session_key": ("The session's id.", SESSION_ID, _SESSION),
    "agent_id": ("The agent that the sessions belong to.", AGENT_ID, _AGENT),
    "key_id": ("key_ and 26 characters.", API_KEY_ID, {"type": "string", "pattern": id_pattern("key")}),
    "endpoint_id": (
        "whe_ and 26 characters.",
        WEBHOOK_ENDPOINT_ID,
        {"type": "string", "pattern": id_pattern("whe")},
    ),
    "delivery_id": ("dlv_ and 26 characters.", DELIVERY_ID, {"type": "string", "pattern": id_pattern("dlv")}),
    "key": ("Part of the link.", "sessions/…/conversation.wav", {"type": "string"}),
}

# Which members of a new session fill them. The flat paths have the session's id in the query or in the body.
OUTSIDE_THE_PATH = "sessionId"
SESSION_LEADS_TO = {"session_id": "id", "session_key": "id", OUTSIDE_THE_PATH: "id", "agent_id": "agent_id"}


def path_parameters(path: str) -> list[str]:
    """The names in a path template, in order."""
    return re.findall(r"\{(\w+)\}", path)


def read_path(call: Call) -> None:
    """Read the request's path into the call, which has been authenticated before.

    Raises:
        ParleyError: `id.invalid`; `not_found` for an agent that the key isn't for.
    """
    found = call.request.match_info
    bound_to = None if call.admitted is None else call.admitted.agent_id
    call.agent = found.get("agent_id", bound_to)
    for name in ("session_id", "session_key"):
        if name in found:
            call.session = parse_id("sess", found[name], param=name)
    if "key_id" in found:
        call.api_key = parse_id("key", found["key_id"], param="key_id")
    if "endpoint_id" in found:
        call.webhook_endpoint = parse_id("whe", found["endpoint_id"], param="endpoint_id")
    if "delivery_id" in found:
        call.delivery = parse_id("dlv", found["delivery_id"], param="delivery_id")
    if call.agent is not None:
        _check_agent(call.agent)
        if bound_to not in (None, call.agent):
            raise ParleyError("not_found", "there is no such agent")


def _check_agent(agent_id: str) -> None:
    if not 1 <= len(agent_id) <= SHORT_CHARACTERS or "\0" in agent_id or not _is_text(agent_id):
        raise ParleyError("id.invalid", f"an agent id has 1 to {SHORT_CHARACTERS} characters", param="agent_id")


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)
