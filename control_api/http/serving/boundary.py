"""The outermost middleware: whatever happens inside, clients read an answer with an id, and on errors the envelope.

All that a request does in the database, authentication included, shares one bound: `PARLEY_DATABASE_TIMEOUT_SECONDS`.
"""

import asyncio
import traceback

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from control_api.http.answers.dialect import DIALECT
from control_api.http.answers.envelope import CANONICAL, error_answer
from control_api.http.answers.request_id import HEADER, request_id
from control_api.http.requests.call import BEGUN, OPERATION
from control_api.http.requests.dependencies import DEPENDENCIES
from control_api.http.requests.request_limits import ALLOWANCES, headers_of
from control_api.http.serving.readiness import READINESS
from control_api.http.serving.request_metrics import METRICS
from sessions.errors import DatabaseRefusedError, ParleyError
from sessions.texts.redaction import redact
from store.database.time_bound import database_time_bound

CODE = web.RequestKey("code", str)

_log = structlog.get_logger(__name__)

# aiohttp raises these by itself; everything else of ours is a ParleyError.
_HTTP_CODES = {400: "request.malformed", 404: "not_found", 405: "method.not_allowed", 413: "body.too_large"}


@web.middleware
async def boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer, or turn what was raised into an answer; count it."""
    request[OPERATION] = "unknown"  # until it is admitted
    metrics = request.app[METRICS]
    started = asyncio.get_running_loop().time()
    status = 499  # the client went away
    with metrics.in_flight.track_inprogress():
        try:
            answer = await _answer(request, handler)
            status = answer.status
            if request.app[READINESS].stopping:
                answer.force_close()
            return answer
        finally:
            metrics.requests.labels(request[OPERATION], str(status)).inc()
            metrics.seconds.labels(request[OPERATION]).observe(asyncio.get_running_loop().time() - started)
            if CODE in request:
                metrics.errors.labels(request[CODE]).inc()


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        with database_time_bound(request.app[DEPENDENCIES].settings.database_timeout_seconds):
            return await handler(request)
    except DatabaseRefusedError as error:
        _log_crash(request, error)
        return refuse(request, error)
    except ParleyError as error:
        return refuse(request, error)
    except web.HTTPException as error:
        code = _HTTP_CODES.get(error.status, "request.malformed" if error.status < 500 else "internal")
        return refuse(request, ParleyError(code, "the request was refused"))
    except ConnectionError:
        raise  # nobody is left to read an answer
    except Exception as error:
        _log_crash(request, error)
        return refuse(request, ParleyError("internal", "something went wrong on our side; quote the request id"))


def _log_crash(request: web.Request, error: Exception) -> None:
    _log.error(
        "request.crashed",
        request_id=request_id(request),
        operation=request[OPERATION],
        error=type(error).__name__,
        traceback=redact("".join(traceback.format_exception(error))),
    )


def refuse(request: web.Request, error: ParleyError) -> web.Response:
    """The answer to `error` in the operation's dialect. A body that was not read to its end closes the connection."""
    request[CODE] = error.code
    answer = error_answer(error, request_id(request), request.get(DIALECT, CANONICAL))
    if request.body_exists and not request.content.is_eof():
        answer.force_close()
    return answer


async def stamp(request: web.Request, response: web.StreamResponse) -> None:
    """`on_response_prepare`: on every answer the request's id, what is left of the limits, and nothing for browsers to
    guess about."""
    request[BEGUN] = True
    response.headers[HEADER] = request_id(request)
    for name, left in headers_of(request.get(ALLOWANCES, [])).items():
        refused = response.headers.get(name)  # the limit that an error is about
        response.headers[name] = left if refused is None else f"{refused}, {left}"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
