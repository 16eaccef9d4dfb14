"""One canonical line per request, written when the answer is out, protocol errors included."""

import logging

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.web_request import BaseRequest

from control_api.http.answers.request_id import request_id
from control_api.http.requests.call import OPERATION, PRINCIPAL
from control_api.http.serving.boundary import CODE
from sessions.ids import format_id
from sessions.texts.redaction import redact

_log = structlog.get_logger(__name__)

_QUIET = frozenset({"get_health", "get_readiness", "get_metrics"})
_MAX_PATH_CHARACTERS = 200


class CanonicalLine(AbstractAccessLogger):
    """Never the query (it may hold signatures), never a header; the path redacted."""

    def log(self, request: BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line of one request that took `time` seconds."""
        operation = request.get(OPERATION, "unreadable")
        principal = request.get(PRINCIPAL)
        who = {}
        if principal is not None:
            who = {
                "organization_id": format_id("org", principal.organization_id),
                "key_id": format_id("key", principal.key_id),
            }
        _log.log(
            logging.DEBUG if operation in _QUIET and response.status < 400 else logging.INFO,
            "request.answered",
            request_id=request_id(request),
            method=request.method,
            path=redact(request.rel_url.raw_path)[:_MAX_PATH_CHARACTERS],
            operation=operation,
            status=response.status,
            code=request.get(CODE),
            duration_ms=round(time * 1000, 1),
            remote=request.remote,
            **who,
        )
