"""Errors of agents' sessions: the canonical envelope, with texts of this style's own for 401 and 403."""

from typing import Any

from control_api.http.answers.dialect import Dialect
from control_api.http.answers.envelope import ErrorEnvelope, error_content, http_status
from sessions.errors import ParleyError

_TEXTS = {
    401: "Unauthorized — Invalid or missing API key",
    403: "Forbidden — Key lacks the required scope",
}


def _content(error: ParleyError, request_id: str) -> dict[str, Any]:
    """The canonical body with this style's text for 401 and 403; `code` and `required_scope` say the rest."""
    content = error_content(error, request_id)
    text = _TEXTS.get(http_status(error.code))
    if text is not None:
        content["error"]["message"] = text
    return content


AGENT_SESSIONS = Dialect("agent_sessions", ErrorEnvelope, http_status, _content, lambda error: {})
