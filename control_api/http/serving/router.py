"""From the table of operations to aiohttp's router: one resource per path, which answers every method.

Where a literal path also matches one with parameters (`/v1/sessions/summary`, `/v1/sessions/{session_id}`), the literal
path answers every method: a method that it lacks is 405, and never reaches a session with that name.
"""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiohttp import web

from control_api.http.answers.dialect import DIALECT
from control_api.http.answers.envelope import RefusedRequestError
from control_api.http.openapi.operation import Operation
from control_api.http.serving.admission import admit
from control_api.http.serving.http_protocol import expect
from sessions.errors import ParleyError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# A parameter is anything without a slash (aiohttp's own pattern refuses braces, too); an object's key has slashes.
_SEGMENT = "[^/]+"
_PATTERNS = {"key": r"[\s\S]+"}


def add_routes(router: web.UrlDispatcher, operations: Iterable[Operation]) -> None:
    """Register every operation, and what is answered where there is none."""
    by_path: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_path[operation.path].append(operation)
    for path in sorted(by_path, key=_literal_first):
        resource = router.add_resource(_pattern(path))
        for operation in by_path[path]:
            handler = admit(operation)
            resource.add_route(operation.method, handler, expect_handler=expect)
            if operation.method == "GET":
                resource.add_route("HEAD", handler, expect_handler=expect)
        resource.add_route("*", _other_methods(by_path[path]), expect_handler=expect)
    router.add_resource(r"/{path:[\s\S]*}").add_route("*", _no_such_path, expect_handler=expect)


def _literal_first(path: str) -> list[tuple[bool, str]]:
    """aiohttp takes the first resource that matches."""
    return [("{" in segment, segment) for segment in path.split("/")]


def _pattern(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: f"{{{name[1]}:{_PATTERNS.get(name[1], _SEGMENT)}}}", path)


def _other_methods(operations: Sequence[Operation]) -> Handler:
    """405 in the dialect of the path, naming the methods that it has."""
    methods = {operation.method for operation in operations}
    allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))

    async def handle(request: web.Request) -> web.StreamResponse:
        request[DIALECT] = operations[0].dialect
        raise RefusedRequestError("method.not_allowed", f"this path answers {allowed}", {"Allow": allowed})

    return handle


async def _no_such_path(request: web.Request) -> web.StreamResponse:
    raise ParleyError("not_found", "there is no such path")
