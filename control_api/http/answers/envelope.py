"""The body of every non-2xx answer: `{"error": {"type", "code", "message", "param", "request_id", …}}`."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic import ConfigDict, Field

from control_api.http.answers.dialect import Dialect
from control_api.http.answers.models import AnswerModel
from control_api.http.answers.request_id import HEADER
from sessions.codes import CODES, ErrorType, error_type
from sessions.errors import ParleyError
from sessions.texts.redaction import redact, redact_value


class FieldError(AnswerModel):
    """One offending field."""

    code: str
    message: str
    param: str


class ErrorContent(AnswerModel):
    """Concrete error returned inside ApiErrorEnvelope.error."""

    model_config = ConfigDict(title="ApiError")

    type: ErrorType = Field(description="Top-level error categories. Maps roughly to HTTP status.")
    code: str = Field(
        description="Stable machine-readable subcode (lower_snake_case). SDKs should switch on this, not message."
    )
    message: str = Field(description="Human-readable summary. Not stable; do not parse.")
    param: str | None = Field(description="The offending field or parameter, dotted.")
    request_id: str = Field(description="Echo of the X-Request-Id response header for support.")
    errors: list[FieldError] | None = None
    retry_after_seconds: int | None = None
    existing_session_id: str | None = None
    required_scope: str | None = None


class ErrorEnvelope(AnswerModel):
    """Wire format for every non-2xx public API response."""

    model_config = ConfigDict(title="ApiErrorEnvelope")

    error: ErrorContent


ERROR_CODE = "X-Error-Code"
_RESERVED = frozenset({"type", "code", "message", "param", "request_id"})


class RefusedRequestError(ParleyError):
    """An error whose answer has headers of its own (`Allow`, `Content-Range`)."""

    def __init__(self, code: str, message: str, headers: Mapping[str, str], *, param: str | None = None) -> None:
        super().__init__(code, message, param=param)
        self.headers = dict(headers)


def http_status(code: str) -> int:
    """The HTTP status of an error code; a code that answers no request is a bug of ours: 500."""
    return CODES[code].http_status or 500


def error_content(error: ParleyError, request_id: str) -> dict[str, Any]:
    """The envelope as a value. Whatever a library put into a message is redacted once more."""
    status = http_status(error.code)
    extra = {name: value for name, value in redact_value(error.extra).items() if name not in _RESERVED}
    return {
        "error": {
            "type": error_type(status),
            "code": error.code,
            "message": redact(error.message),
            "param": None if error.param is None else redact(error.param),
            "request_id": request_id,
            **extra,
        }
    }


CANONICAL = Dialect("canonical", ErrorEnvelope, http_status, error_content, lambda error: {})


def error_answer(error: ParleyError, request_id: str, dialect: Dialect = CANONICAL) -> web.Response:
    """The answer: the dialect's body, `X-Error-Code`, `WWW-Authenticate` on 401, never cached.

    It has `Retry-After` where the error says how long, and on every 503.
    """
    status = dialect.status(error.code)
    own_headers = error.headers if isinstance(error, RefusedRequestError) else {}
    answer = web.Response(
        status=status,
        body=json.dumps(dialect.content(error, request_id), ensure_ascii=False, separators=(",", ":")).encode(),
        content_type="application/json",
        headers={
            HEADER: request_id,
            ERROR_CODE: error.code,
            "Cache-Control": "no-store",
            **own_headers,
            **dialect.headers(error),
        },
    )
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="parley"'
    if status == 503 or "retry_after_seconds" in error.extra:
        answer.headers["Retry-After"] = str(error.extra.get("retry_after_seconds", 1))
    return answer
