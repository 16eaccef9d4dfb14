"""What the service says of itself."""

from typing import Literal

from pydantic import ConfigDict, Field

from control_api.http.answers.models import AnswerModel


class CodeEntry(AnswerModel):
    """One code of the registry."""

    object: Literal["code"]
    code: str
    kind: Literal["error", "failure", "end", "gap"]
    fault: Literal["customer", "transport", "platform", "none"]
    retryable: bool
    billable: bool
    http_status: int | None
    help: str


class CodeList(AnswerModel):
    """The whole registry."""

    object: Literal["list"]
    data: list[CodeEntry]
    has_more: bool
    next_cursor: str | None


class Health(AnswerModel):
    """The process answers."""

    object: Literal["health"]
    status: Literal["ok"]


class Dependencies(AnswerModel):
    """What the service leans on."""

    database: Literal["ok", "unavailable"]
    storage: Literal["ok", "unavailable"]


class Readiness(AnswerModel):
    """Whether requests should be sent here."""

    object: Literal["readiness"]
    status: Literal["ready"]
    dependencies: Dependencies


class ServiceStatus(AnswerModel):
    """For people: is it working, and which version is it."""

    object: Literal["status"]
    status: Literal["operational", "degraded"]
    version: str
    dependencies: Dependencies


class FieldError(AnswerModel):
    """One offending field."""

    code: str
    message: str
    param: str


class ErrorContent(AnswerModel):
    """Concrete error returned inside ApiErrorEnvelope.error."""

    model_config = ConfigDict(title="ApiError")

    type: Literal[
        "invalid_request",
        "authentication",
        "quota_exceeded",
        "permission",
        "not_found",
        "conflict",
        "unprocessable",
        "rate_limit",
        "internal",
        "service_unavailable",
    ] = Field(description="Top-level error categories. Maps roughly to HTTP status.")
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
