"""The one strict reader of request bodies.

At most 64 KiB, counted before anything is buffered; 10 seconds in all; one JSON object in UTF-8 without duplicate keys,
NaN, infinities, NUL or lone surrogates. Plain aiohttp answers 500 or 200 to those, and never closes a slow body.
"""

import asyncio
import json
import math
from typing import Any

from aiohttp import web
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from aiohttp.web_protocol import RequestPayloadError
from pydantic_core import from_json

from sessions.errors import ParleyError

MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
MAX_DEPTH = 64


async def read_body(request: web.Request, *, required: bool, seconds: float = BODY_SECONDS) -> dict[str, Any]:
    """The JSON object that the client sent; `{}` when it sent nothing and nothing is required.

    Raises:
        ParleyError: `body.too_large`, `body.timeout`, `body.media_type`, `body.malformed`, `request.malformed`.
    """
    data = await _read_bytes(request, seconds)
    if not data and not required:
        return {}
    _check_media_type(request)
    return parse_object(data)


async def _read_bytes(request: web.Request, seconds: float) -> bytes:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    data = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > MAX_BODY_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise ParleyError("body.timeout", f"the body did not arrive within {seconds:g} seconds") from None
    except (RequestPayloadError, HTTPRequestEntityTooLarge):
        raise ParleyError("request.malformed", "the body's transfer encoding is broken") from None
    return bytes(data)


def _check_media_type(request: web.Request) -> None:
    if "Content-Encoding" in request.headers and request.headers["Content-Encoding"].lower() != "identity":
        raise ParleyError("body.media_type", "a Content-Encoding is not accepted")
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset not in ("utf-8", "utf8"):
        raise ParleyError("body.media_type", "the body must be application/json in UTF-8")


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`.

    Raises:
        ParleyError: `body.malformed`; its text holds nothing of the body.
    """
    try:
        # pydantic's parser refuses NaN, UTF-16, BOM, broken UTF-8, lone surrogates, deep nesting and endless numbers …
        from_json(data, allow_inf_nan=False)
        # … the standard library's tells duplicate keys.
        value = json.loads(data, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise malformed("the body is not well-formed JSON") from None
    if not isinstance(value, dict):
        raise malformed("the body must be a JSON object")
    _check_values(value, 1)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise malformed("the body has a member twice")
    return members


def _check_values(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise malformed("the body is nested too deeply")
    match value:
        case str():
            if "\0" in value:
                raise malformed("the body holds a NUL character")
        case float():
            if not math.isfinite(value):
                raise malformed("the body holds a number that is too large")
        case dict():
            for name, member in value.items():
                _check_values(name, depth)
                _check_values(member, depth + 1)
        case list():
            for item in value:
                _check_values(item, depth + 1)


def malformed(message: str) -> ParleyError:
    """The error for a body that is no acceptable JSON."""
    return ParleyError("body.malformed", message)


def _too_large() -> ParleyError:
    return ParleyError("body.too_large", f"the body is larger than {MAX_BODY_BYTES} bytes")
