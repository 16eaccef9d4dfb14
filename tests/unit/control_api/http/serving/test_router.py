"""Which operation a request reaches: the table against aiohttp's router, in both directions."""

import json
import re
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from control_api.http.answers.dialect import DIALECT
from control_api.http.answers.envelope import RefusedRequestError
from control_api.http.openapi.operation import Operation
from control_api.http.requests.call import OPERATION
from control_api.http.serving.router import add_routes
from control_api.operations import OPERATIONS
from sessions.errors import ParleyError
from tests.support.samples.served_document import SERVED

DOCUMENT: dict[str, Any] = json.loads(SERVED)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
LITERAL = sorted({operation.path for operation in OPERATIONS if "{" not in operation.path})


@pytest.fixture
def router() -> web.UrlDispatcher:
    """With every operation of the table."""
    router = web.UrlDispatcher()
    add_routes(router, OPERATIONS)
    return router


async def _reached(router: web.UrlDispatcher, method: str, path: str) -> tuple[str, web.Request]:
    """What a request without a key reaches: the operation, or the code of the refusal."""
    request = make_mocked_request(method, path)
    match = await router.resolve(request)
    try:
        await match.handler(request)
    except RefusedRequestError as error:
        return error.headers["Allow"], request
    except ParleyError as error:
        if error.code == "not_found":
            return "not_found", request
    except KeyError:  # it was let in: there is no application behind it
        pass
    return request[OPERATION], request


def _filled(path: str, value: str = "x") -> str:
    return re.sub(r"\{\w+\}", value, path)


def _allowed(path: str) -> str:
    methods = {operation.method for operation in OPERATIONS if operation.path == path}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def test_the_router_has_the_documented_operations_and_no_others(router: web.UrlDispatcher) -> None:
    """Every documented operation has a route, and every route but the last resort is documented."""
    documented = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods if method != "head"
    }
    routed = {
        (route.method, route.resource.canonical)
        for route in router.routes()
        if route.resource is not None and route.method not in ("HEAD", "*")
    }
    assert documented == routed
    assert {resource.canonical for resource in router.resources()} - {path for _, path in documented} == {"/{path}"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_each_operation_is_reached_by_its_method_and_path(
    operation: Operation, router: web.UrlDispatcher
) -> None:
    """HEAD as GET; whatever a parameter holds, braces and escaped slashes too."""
    for method in {operation.method, "HEAD"} if operation.method == "GET" else {operation.method}:
        for value in ("x", "%7Bx%7D", "a%2Fb", "a%0Ab", "%00"):
            reached, _ = await _reached(router, method, _filled(operation.path, value))
            assert reached == operation.name, (method, value)


@pytest.mark.parametrize("path", sorted({operation.path for operation in OPERATIONS}))
async def test_other_methods_are_405_in_the_dialect_of_the_path(path: str, router: web.UrlDispatcher) -> None:
    """With the methods that there are."""
    [dialect] = {operation.dialect for operation in OPERATIONS if operation.path == path}
    for method in METHODS:
        if method not in _allowed(path):
            reached, request = await _reached(router, method, _filled(path))
            assert (reached, request[DIALECT]) == (_allowed(path), dialect), method


@pytest.mark.parametrize(
    ("path", "literal"),
    [
        *((path, path) for path in LITERAL),
        ("/v1/agents/agent_x/sessions/archived", "/v1/agents/{agent_id}/sessions/archived"),
        ("/v1/agents/summary/sessions/archived", "/v1/agents/{agent_id}/sessions/archived"),
        ("/v1/agents/x/sessions/archived/history", "/v1/agents/{agent_id}/sessions/archived/{session_key}"),
        ("/v1/agents/x/sessions/archived/rename", "/v1/agents/{agent_id}/sessions/archived/{session_key}"),
    ],
)
async def test_a_literal_path_is_no_object_of_that_name(path: str, literal: str, router: web.UrlDispatcher) -> None:
    """`PATCH /v1/sessions/summary` is 405, and changes no session called summary."""
    for method in METHODS:
        reached, _ = await _reached(router, method, path)
        own = [
            operation.name
            for operation in OPERATIONS
            if operation.path == literal and operation.method == method.replace("HEAD", "GET")
        ]
        assert reached == (own[0] if own else _allowed(literal)), method


@pytest.mark.parametrize("path", ["/", "/v1/sessions/", "/v1/sessions/x/y", "/v2/sessions", "/%00", "/a%0Ab"])
async def test_what_is_no_path_of_ours_is_not_found(path: str, router: web.UrlDispatcher) -> None:
    """Whatever the method."""
    for method in METHODS:
        assert (await _reached(router, method, path))[0] == "not_found", method
