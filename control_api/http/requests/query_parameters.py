"""Query parameters: declared once, read strictly, described in the OpenAPI document."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from multidict import MultiMapping

from sessions.billing.billing_period import time_zone
from sessions.errors import ParleyError
from sessions.ids import Prefix, id_pattern, parse_id
from sessions.lifecycle.lifecycle import ALIASES, Status
from sessions.texts.redaction import redact
from sessions.texts.text_bounds import NO_NUL, SHORT_CHARACTERS
from sessions.texts.timestamps import EXPECTED_TIME, parse_timestamp


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """One parameter.

    Attributes:
        name: as in the URL.
        parse: from text to value; raises ValueError (→ 422 `parameter.invalid`) or a ParleyError of its own.
        schema: JSON Schema of one value.
        description: for the OpenAPI document.
        default: the value when it is absent.
        repeats: may be given several times; the value is then a tuple.
        required: for the OpenAPI document; the operation itself refuses a request without it.
    """

    name: str
    parse: Callable[[str], Any]
    schema: dict[str, Any]
    description: str
    default: Any = None
    repeats: bool = False
    required: bool = False


def read_query(query: MultiMapping[str], parameters: Sequence[QueryParameter]) -> dict[str, Any]:
    """Every declared parameter's value, defaults included.

    Raises:
        ParleyError: `parameter.unknown`, `parameter.invalid`, or what a parameter's own reader raises.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in query:
        if name not in known:
            raise ParleyError(
                "parameter.unknown", "the operation has no such query parameter", param=redact(name)[:100]
            )
    return {name: _read(parameter, query.getall(name, [])) for name, parameter in known.items()}


def _read(parameter: QueryParameter, texts: Sequence[str]) -> Any:
    if not texts:
        return parameter.default
    if len(texts) > 1 and not parameter.repeats:
        raise _invalid(parameter.name, "the query parameter may be given once")
    try:
        values = tuple(parameter.parse(text) for text in texts)
    except ValueError as problem:
        raise _invalid(parameter.name, str(problem)) from None
    return values if parameter.repeats else values[0]


def _invalid(name: str, message: str) -> ParleyError:
    return ParleyError("parameter.invalid", message, param=name)


def integer(name: str, description: str, *, least: int, most: int, default: int | None = None) -> QueryParameter:
    """A whole number in digits."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    schema: dict[str, Any] = {"type": "integer", "minimum": least, "maximum": most}
    if default is not None:
        schema["default"] = default
    return QueryParameter(name, parse, schema, description, default)


def page_size(things: str = "Page size", *, default: int = 20, most: int = 100) -> QueryParameter:
    """`limit` of a list of `things`."""
    bounds = f"Default {default}, max {most}." if default != most else f"Default and max {most}."
    return integer("limit", f"{things}. {bounds}", least=1, most=most, default=default)


def after_seq(things: str) -> QueryParameter:
    """`after` of a session's ordered log of `things`."""
    return integer("after", f"Only {things} with a larger seq.", least=0, most=2**31 - 1, default=0)


def identifier(name: str, description: str, prefix: Prefix) -> QueryParameter:
    """An id; malformed ones are 400 `id.invalid`."""
    schema = {"type": "string", "pattern": id_pattern(prefix), "examples": [f"{prefix}_01HXY5K8E7QYG3X8Z6N9R7S0VR"]}
    return QueryParameter(name, lambda text: parse_id(prefix, text, param=name), schema, description)


def with_offset(text: str) -> str:
    """The time as its client meant it: an offset's + that is not escaped reaches us as a space."""
    return re.sub(r" (?=\d\d:\d\d$)", "+", text)


def timestamp(name: str, description: str) -> QueryParameter:
    """An RFC 3339 time with its offset."""

    def parse(text: str) -> Any:
        try:
            return parse_timestamp(with_offset(text))
        except (ValueError, OverflowError):
            raise ValueError(EXPECTED_TIME) from None

    return QueryParameter(name, parse, {"type": "string", "format": "date-time"}, description)


def text(name: str, description: str, *, most: int = SHORT_CHARACTERS) -> QueryParameter:
    """A short text that is compared as it is."""

    def parse(value: str) -> str:
        if not 1 <= len(value) <= most or "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise ValueError(f"must have 1 to {most} characters")
        return value

    schema = {"type": "string", "minLength": 1, "maxLength": most, "pattern": NO_NUL}
    return QueryParameter(name, parse, schema, description)


def choice(name: str, description: str, words: Sequence[str], default: str | None = None) -> QueryParameter:
    """One of a few words."""

    def parse(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    schema: dict[str, Any] = {"type": "string", "enum": list(words)}
    return QueryParameter(
        name, parse, schema if default is None else {**schema, "default": default}, description, default
    )


def edge(name: str, description: str) -> QueryParameter:
    """Where a period begins or ends; it is read together with the time zone, so the value is a text."""
    schema = {"type": "string", "minLength": 10, "maxLength": 35, "examples": ["2026-11-01", "2026-11-01T00:00:00Z"]}
    return QueryParameter(name, text(name, "", most=35).parse, schema, description)


def zone(name: str, description: str) -> QueryParameter:
    """The name of a time zone; the value is a `ZoneInfo`."""
    schema = {"type": "string", "default": "UTC", "examples": ["Europe/Berlin"]}
    return QueryParameter(name, time_zone, schema, description, time_zone("UTC"))


def statuses() -> QueryParameter:
    """`status`, repeatable, with the aliases `active` and `terminal`; the value is a tuple of sets of statuses."""

    def parse(value: str) -> frozenset[Status]:
        if value in ALIASES:
            return ALIASES[value]
        try:
            return frozenset({Status(value)})
        except ValueError:
            raise ParleyError("status.unknown", "Unknown status filter value.", param="status") from None

    schema = {"type": "string", "enum": [*(status.value for status in Status), *ALIASES]}
    return QueryParameter(
        "status",
        parse,
        schema,
        "Repeatable filter. Accepts a SessionStatus value or the aliases active / terminal. "
        "Multiple values OR together.",
        (),
        repeats=True,
    )
