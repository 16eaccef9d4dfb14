"""What a user is told of each kind of constraint that a body breaks, in our own words, which never quote the input."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

TRANSPORTS = ("livekit", "websocket", "pipecat")
_BUILT_IN = frozenset(get_args(ErrorType))
_OTHERWISE = "is not what the operation takes here"
_TEXTS: Mapping[str, str] = {
    "extra_forbidden": "the operation has no such field",
    "missing": "the field is required",
    "union_tag_not_found": "the field is required",
    "union_tag_invalid": f"must be one of {', '.join(TRANSPORTS)}",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "string_type": "must be a text",
    "string_sub_type": "must be a text",
    "string_unicode": "must be a text in UTF-8",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "none_required": "must be null",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} of them",
    "too_long": "must have at most {max_length} of them",
    "string_pattern_mismatch": "must match {pattern}",
}


def constraint_text(detail: ErrorDetails) -> str:
    """The sentence of one of pydantic's complaints. Our own validators bring their own."""
    kind = detail["type"]
    if kind not in _BUILT_IN:
        return detail["msg"]
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    context: dict[str, Any] = dict(detail.get("ctx", {}))
    text = _TEXTS.get(kind, _OTHERWISE).format_map(context)
    return text.replace("at least 1 characters", "at least one character").replace("at least 1 of", "at least one of")
