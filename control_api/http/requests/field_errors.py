"""From pydantic's complaints to `errors[]`: dotted paths and codes, nothing of what was sent."""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from control_api.http.requests.constraint_texts import TRANSPORTS, constraint_text
from sessions.errors import ParleyError
from sessions.texts.redaction import redact

Model = TypeVar("Model", bound=BaseModel)

_MAX_ERRORS = 20
_MAX_PARAM_CHARACTERS = 200
_CODES = {
    "extra_forbidden": "field.unknown",
    "missing": "field.required",
    "union_tag_not_found": "field.required",
}
_TOKEN = "worker_token"
_EMPTY = frozenset({"string_too_short", "too_short"})
_UNIONS = {
    "transport": frozenset(TRANSPORTS),
    "content": frozenset({"text", "blocks"}),
}


def validate(model: type[Model], content: dict[str, Any]) -> Model:
    """`content` as `model`.

    Raises:
        ParleyError: with the first error's code and param, and all of them in `errors`.
    """
    try:
        return model.model_validate(content)
    except ValidationError as failure:
        details = failure.errors(include_url=False, include_context=True, include_input=False)
    raise _first_of([_field_error(detail) for detail in details[:_MAX_ERRORS]]) from None


def _field_error(detail: ErrorDetails) -> dict[str, str]:
    kind = detail["type"]
    location = _without_tag(detail["loc"])
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        location = (*location, "type")
    code, text = _CODES.get(kind, "field.invalid"), constraint_text(detail)
    if kind in _EMPTY and location[-1:] == (_TOKEN,):
        code, text = "worker_token.malformed", "the worker token is no LiveKit access token"
    return {
        "code": code,
        "message": text,
        "param": redact(".".join(str(part) for part in location))[:_MAX_PARAM_CHARACTERS],
    }


def _without_tag(location: Sequence[int | str]) -> tuple[int | str, ...]:
    """pydantic puts the chosen member of a union into the path; clients don't know it."""
    kept: list[int | str] = []
    for part in location:
        if not (kept and part in _UNIONS.get(str(kept[-1]), frozenset())):
            kept.append(part)
    return tuple(kept)


def _first_of(errors: list[dict[str, str]]) -> ParleyError:
    first = errors[0]
    return ParleyError(first["code"], first["message"], param=first["param"], extra={"errors": errors})
