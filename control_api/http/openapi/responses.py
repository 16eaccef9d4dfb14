"""The responses of an operation in the OpenAPI document: how it succeeds, and every code that it may refuse with."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from control_api.http.answers.envelope import ERROR_CODE
from control_api.http.answers.examples import ERROR
from control_api.http.answers.request_id import HEADER as REQUEST_ID
from control_api.http.openapi.components import RETRY_AFTER, Components
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.openapi.status_descriptions import STATUS_DESCRIPTIONS
from control_api.http.requests.idempotency_key import REPLAYED
from control_api.http.requests.request_limits import LEFT, POLICY
from sessions.audio_formats import MEDIA_TYPES
from sessions.codes import CODES
from sessions.errors import ParleyError

References = dict[type[BaseModel], dict[str, Any]]  # where the schema of each model is

# What any request may meet, whatever it asks for.
_ALWAYS = ("request.malformed", "parameter.unknown", "internal", "stopping")
_OF_WHAT_COUNTS: dict[str | None, tuple[str, ...]] = {
    "create": ("rate_limit.creates", "quota.sessions"),
    "message": ("rate_limit.messages",),
}
_WITH_KEY = ("key.missing", "key.invalid", "scope.missing", "database.unavailable")
_WITH_BODY = (
    "body.malformed",
    "body.too_large",
    "body.timeout",
    "body.media_type",
    "field.unknown",
    "field.required",
    "field.invalid",
)
_SCHEMAS = {
    "application/json": {"type": "object"},
    **{media_type: {"type": "string", "format": "binary"} for media_type in MEDIA_TYPES.values()},
}
_REPLAYED_DESCRIPTION = "true when this is the answer of an earlier request with the same key."
_OF_ERRORS = {
    401: {"WWW-Authenticate": "Bearer"},
    416: {"Content-Range": "bytes */ and the size of the file."},
}
_WITH_IDEMPOTENCY = (
    "not_found",
    "idempotency.invalid",
    "idempotency.in_progress",
    "idempotency.key_reused",
    "quota.answers",
    "commit.unknown",
)


def success_response(
    answer: Answer, operation: Operation, references: References, components: Components
) -> dict[str, Any]:
    """One way in which the operation succeeds."""

    def shown(model: type[BaseModel], example: Any) -> dict[str, Any]:
        name = f"{operation.name}_{answer.status}_{model.__name__}"
        return {"schema": references[model], "examples": {"example": components.example(name, example)}}

    headers = _headers(answer.headers, required=True)
    if operation.made_at is not None:
        headers |= _headers({"Location": "The path of what was made."}, required=True)
    headers |= _headers(answer.optional_headers, required=False)
    if operation.idempotent_by_key:
        headers |= _headers({REPLAYED: _REPLAYED_DESCRIPTION}, required=False)
    content: dict[str, Any] = {
        media_type: {
            "schema": _SCHEMAS.get(media_type, {"type": "string"}),
            **({"example": example} if example else {}),
        }
        for media_type, example in answer.media_types.items()
    }
    if answer.model is not None:
        content["application/json"] = shown(answer.model, answer.example)
        if answer.variant is not None:
            media_type, model, example = answer.variant
            content["application/json"]["schema"] = {"anyOf": [references[answer.model], references[model]]}
            content[media_type] = shown(model, example)
    return {
        "description": answer.description,
        "headers": Components.header(REQUEST_ID) | headers,
        **({"content": content} if content else {}),
    }


def error_responses(operation: Operation, references: References, components: Components) -> dict[str, Any]:
    """One response per status, with an example per code."""
    codes = [*_ALWAYS, *operation.errors]
    if not operation.public:
        codes += _WITH_KEY
    if not operation.unlimited:
        codes += ["rate_limit.requests"]
    codes += _OF_WHAT_COUNTS.get(operation.counts_as, ())
    if "{" in operation.path:
        codes += ["id.invalid", "not_found"]
    if operation.query:
        codes += ["parameter.invalid"]
    if operation.body is not None:
        codes += _WITH_BODY
    if operation.idempotent_by_key:
        codes += _WITH_IDEMPOTENCY
        if operation.secret_answer:
            codes += ["secret_key.dropped"]
    by_status: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    dialect = operation.dialect
    for code in dict.fromkeys(codes):
        error = dialect.content(ParleyError(code, CODES[code].help), ERROR["error"]["request_id"])
        by_status[dialect.status(code)][code] = components.example(f"{dialect.name}.{code}", error)
    always = Components.header(REQUEST_ID) | Components.header(ERROR_CODE)
    return {
        str(status): components.response(
            f"{operation.name}_{status}",
            {
                "description": _described(operation, status, shown),
                "headers": always | _of_status(status) | _headers(_OF_ERRORS.get(status, {}), required=True),
                "content": {"application/json": {"schema": references[dialect.envelope], "examples": shown}},
            },
        )
        for status, shown in sorted(by_status.items())
    }


def _of_status(status: int) -> dict[str, Any]:
    """Headers of this error. Those of the limits are on other answers, too, and said here alone for brevity."""
    limits = Components.header(LEFT) | Components.header(POLICY) if status == 429 else {}
    return limits | (Components.header(RETRY_AFTER) if status in (429, 503) else {})


def _described(operation: Operation, status: int, codes: Iterable[str]) -> str:
    sentence = operation.error_descriptions.get(status, STATUS_DESCRIPTIONS[status])
    return f"{sentence.removesuffix('.')}. Codes: {', '.join(codes)}."


def _headers(descriptions: dict[str, str], *, required: bool) -> dict[str, Any]:
    return {
        name: {
            "description": description,
            **({"required": True} if required else {}),
            "schema": {"type": "string"},
        }
        for name, description in descriptions.items()
    }
