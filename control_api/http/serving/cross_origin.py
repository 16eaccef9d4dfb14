"""Lets pages of the origins in `PARLEY_CORS_ORIGINS` read answers (the Fetch standard's CORS protocol).

aiohttp-cors adds an OPTIONS route to each resource, and ours answer every method already; errors that no route makes
would lack its headers. Keys come in Authorization, which a page sends by itself: no cookies, so no credentials.
"""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from control_api.http.answers.envelope import ERROR_CODE
from control_api.http.answers.request_id import HEADER as REQUEST_ID
from control_api.http.requests.call import OPERATION
from control_api.http.requests.idempotency_key import HEADER as IDEMPOTENCY_KEY
from control_api.http.requests.idempotency_key import REPLAYED

PREFLIGHT_SECONDS = 600  # that a browser remembers what it may send
ANY = "*"

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_SENT = ", ".join(
    (
        hdrs.AUTHORIZATION,
        hdrs.CONTENT_TYPE,
        IDEMPOTENCY_KEY,
        hdrs.ACCEPT,
        hdrs.RANGE,
        hdrs.IF_RANGE,
        hdrs.IF_NONE_MATCH,
        "Prefer",
        "Last-Event-ID",
    )
)
_READ = ", ".join(
    (
        REQUEST_ID,
        ERROR_CODE,
        REPLAYED,
        hdrs.ETAG,
        hdrs.LOCATION,
        hdrs.CONTENT_RANGE,
        hdrs.ACCEPT_RANGES,
        hdrs.RANGE,
        hdrs.CONTENT_LENGTH,
        hdrs.CONTENT_DISPOSITION,
        hdrs.RETRY_AFTER,
        hdrs.WWW_AUTHENTICATE,
    )
)


class CrossOrigin:
    """Which origins may read.

    Args:
        origins: as browsers send them (`https://app.example.com`), or `*`.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origins)

    def allowed(self, request: web.BaseRequest) -> str | None:
        """What Access-Control-Allow-Origin says to the page that asks, if anything."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return None
        return ANY if ANY in self._origins else origin if origin in self._origins else None

    def preflights(self) -> Middleware:
        """A middleware that answers them; they have no key."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            asked = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
            if not asked or self.allowed(request) is None:
                return await handler(request)
            request[OPERATION] = "preflight"
            return web.Response(
                status=204,
                headers={
                    hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS,
                    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _SENT,
                    hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_SECONDS),
                },
            )

        return answer

    async def stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        """`on_response_prepare`: that the page may read this answer, errors too."""
        if ANY not in self._origins:
            response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        allowed = self.allowed(request)
        if allowed is not None:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = allowed
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _READ
