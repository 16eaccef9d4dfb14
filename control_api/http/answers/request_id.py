"""One id per request: in `X-Request-Id` of every answer, in every error body and in every log line of the request."""

from typing import Final

from aiohttp import web
from aiohttp.web_request import BaseRequest

from sessions.ids import format_id, new_uuid

HEADER: Final = "X-Request-Id"
_KEY: Final = web.RequestKey("request_id", str)


def request_id(request: BaseRequest) -> str:
    """`req_<ULID>`, made when first asked for."""
    if _KEY not in request:
        request[_KEY] = format_id("req", new_uuid())
    return request[_KEY]
