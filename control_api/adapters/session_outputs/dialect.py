"""Errors of the flat paths: `{"error": "<text>"}`, and the code in a header."""

from typing import Any

from control_api.adapters.session_outputs.models import OutputsError
from control_api.http.answers.dialect import Dialect
from control_api.http.answers.envelope import http_status
from sessions.errors import ParleyError
from sessions.texts.redaction import redact

CODE_HEADER = "X-Error-Code"

# This style has no 422 and, but for a repeated request, no 409: a bad query is 400, and what isn't there yet is 404.
_STATUSES = {"audio.not_ready": 404, "idempotency.in_progress": 409}


def _status(code: str) -> int:
    if code in _STATUSES:
        return _STATUSES[code]
    status = http_status(code)
    return 400 if status == 422 else status


def _content(error: ParleyError, request_id: str) -> dict[str, Any]:
    return {"error": redact(_text(error))}


def _text(error: ParleyError) -> str:
    if error.code == "field.required" and error.param is not None:
        return f"{error.param} is required"
    if error.code.startswith(("field.", "parameter.unknown", "parameter.invalid")) and error.param is not None:
        return f"{error.param}: {error.message}"
    return error.message


SESSION_OUTPUTS = Dialect("session_outputs", OutputsError, _status, _content, lambda error: {CODE_HEADER: error.code})
