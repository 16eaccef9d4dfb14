"""What no operation of the table answers: 404, or 405 where another method would do."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from control_api.dialect import DIALECT
from control_api.envelope import RefusedRequestError
from control_api.operation import Operation
from sessions.errors import ParleyError


def unknown_route(operations: Sequence[Operation]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of everything that is left."""

    async def handle(request: web.Request) -> web.StreamResponse:
        near = [operation for operation in operations if operation.matches(request.rel_url.raw_path)]
        if not near:
            raise ParleyError("not_found", "there is no such path")
        request[DIALECT] = near[0].dialect
        methods = {operation.method for operation in near}
        allowed = sorted(methods | ({"HEAD"} if "GET" in methods else set()))
        raise RefusedRequestError(
            "method.not_allowed", f"this path answers {', '.join(allowed)}", {"Allow": ", ".join(allowed)}
        )

    return handle
