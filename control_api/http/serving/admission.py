"""The way of a request to its route: key, scope, path ids, query parameters, body, idempotency key. In this order."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

from aiohttp import web

from control_api.http.answers.dialect import DIALECT
from control_api.http.answers.json_answer import json_answer
from control_api.http.answers.public_address import PUBLIC_ADDRESS
from control_api.http.openapi.operation import Operation
from control_api.http.requests.authentication import authenticate, is_operator, require_scope, scope_missing
from control_api.http.requests.call import BEGUN, OPERATION, PRINCIPAL, Call
from control_api.http.requests.dependencies import DEPENDENCIES
from control_api.http.requests.field_errors import validate
from control_api.http.requests.idempotency_key import REPLAYED, fingerprint, read_key
from control_api.http.requests.json_body import read_body
from control_api.http.requests.path_parameters import read_path
from control_api.http.requests.query_parameters import read_query
from control_api.http.requests.request_limits import REQUEST_LIMITS, RequestLimits, note
from control_api.http.serving.late_releases import LATE_RELEASES
from sessions.errors import (
    DatabaseBusyError,
    DatabaseError,
    DatabaseUnavailableError,
    ParleyError,
    session_not_found,
)
from store.access.api_keys import Principal
from store.access.idempotency import IdempotencyTicket, Replay
from store.access.vault import AnswerVault

_BUSY_PAUSES_SECONDS = (0.02, 0.1)

ANSWER_VAULT = web.AppKey("answer_vault", AnswerVault)


def admit(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of `operation`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request[OPERATION] = operation.name
        request[DIALECT] = operation.dialect
        call = Call(request)
        limits = request.app[REQUEST_LIMITS]
        if operation.public:
            if not operation.unlimited:
                note(request, limits.take_unauthenticated(request.remote))
        elif operation.operator:
            await _require_operator(request, limits)
        else:
            call.admitted = await _authenticate(request, limits)
            request[PRINCIPAL] = call.admitted
            note(request, limits.take_request(call.admitted))
            if operation.scope is not None:
                require_scope(call.admitted, operation.scope)
        read_path(call)
        call.query = read_query(request.rel_url.query, operation.query)
        if operation.body is not None:
            arrived = request.content.is_eof()
            call.body = validate(operation.body, await read_body(request, required=operation.body_required))
            if call.admitted is not None and not arrived:
                await call.check_key()
        await require_own(call)
        key = read_key(request) if operation.idempotent_by_key else None
        if key is None:
            return await _run(operation, call)
        return await _once(operation, call, key)

    return handle


async def _authenticate(request: web.Request, limits: RequestLimits) -> Principal:
    """The holder of the key. Whoever has none may try only so often, from one address."""
    try:
        return await authenticate(request, request.app[DEPENDENCIES].api_keys)
    except DatabaseError:
        raise
    except ParleyError as error:
        note(request, limits.take_unauthenticated(request.remote))
        operator_key = request.app[DEPENDENCIES].settings.operator_key
        if error.code == "key.invalid" and is_operator(request, operator_key):
            raise ParleyError("scope.missing", "the operator's key belongs to no organization") from None
        raise


async def _require_operator(request: web.Request, limits: RequestLimits) -> None:
    """Let the operator pass.

    Raises:
        ParleyError: `not_found`: this installation has no such key. `scope.missing`: an organization's key. As any
            request without a good key: `key.missing`, `key.invalid`, `rate_limit.requests`.
    """
    operator_key = request.app[DEPENDENCIES].settings.operator_key
    if operator_key is None:
        note(request, limits.take_unauthenticated(request.remote))
        raise ParleyError("not_found", "nothing is shown to operators here: PARLEY_OPERATOR_KEY is not set")
    try:
        if is_operator(request, operator_key):
            return
    except ParleyError:
        note(request, limits.take_unauthenticated(request.remote))
        raise
    await _authenticate(request, limits)
    raise scope_missing("operator")


async def _run(operation: Operation, call: Call) -> web.StreamResponse:
    """Run the route; once more, as its client else would, when the database was busy and no answer has begun."""
    limits = call.request.app[REQUEST_LIMITS]
    match operation.counts_as:
        case "create":
            note(call.request, limits.take_create(call.principal))
        case "message":
            note(call.request, limits.take_message(call.principal, call.session))
    ticket = call.ticket
    for pause_seconds in _BUSY_PAUSES_SECONDS:
        try:
            return await operation.handler(call)
        except DatabaseBusyError:
            if BEGUN in call.request:
                raise
        await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.0))
        call.ticket = ticket
    return await operation.handler(call)


async def require_own(call: Call) -> None:
    """Let the call pass unless its session is another agent's than the one that the path names or the key is for.

    Raises:
        ParleyError: `not_found`, as for what doesn't exist.
    """
    if call.agent is None or call.session is None:
        return
    if await call.dependencies.sessions.queries.agent_of(call.organization_id, call.session) != call.agent:
        raise session_not_found()


async def _once(operation: Operation, call: Call, key: str) -> web.StreamResponse:
    """Run the request, unless the key has an answer already."""
    idempotency = call.dependencies.idempotency
    begun = await idempotency.begin(
        call.organization_id,
        f"{operation.method} {operation.path}",
        key,
        fingerprint(
            call.body,
            call.addressed,
            call.agent,
            call.principal.key_id if operation.secret_answer else None,
            reads_content=call.reads_content,
        ),
        agent_id=call.principal.agent_id,
        most_bytes=call.request.app[REQUEST_LIMITS].of(call.principal).answers_mb * 1_000_000,
    )
    if isinstance(begun, Replay):
        return _repeated(operation, call, begun)
    with idempotency.held(begun):
        return await _first(operation, call, begun)


async def _first(operation: Operation, call: Call, ticket: IdempotencyTicket) -> web.StreamResponse:
    """Run the request that has the key, and keep its answer or give the key back."""
    call.ticket = ticket
    try:
        answer = await _run(operation, call)
        if call.ticket is not None:  # the route is idempotent by itself, so its answer may be kept afterwards
            assert isinstance(answer, web.Response)
            body = answer.body or b""
            assert isinstance(body, bytes)
            async with call.dependencies.db.begin() as conn:
                await ticket.keep(conn, answer.status, body, call.session)
    except DatabaseUnavailableError:
        # The release waits for a commit that may be under way (it holds the key's row), and leaves its answer in place.
        call.request.app[LATE_RELEASES].add(ticket)
        raise
    except BaseException:
        await call.dependencies.idempotency.release(ticket)
        raise
    return answer


def _repeated(operation: Operation, call: Call, kept: Replay) -> web.Response:
    """The answer that the first request got."""
    headers = {REPLAYED: "true"}
    if operation.made_at is not None:
        made_at = operation.made_at.format(id=json.loads(kept.body)["id"])
        headers |= call.request.app[PUBLIC_ADDRESS].made(made_at)
    if not kept.body:
        return web.Response(status=kept.status, headers=headers)
    if operation.secret_answer:
        body = call.request.app[ANSWER_VAULT].open(call.organization_id, kept.body)
        return json_answer(body, status=kept.status, headers={**headers, "Cache-Control": "no-store"})
    return json_answer(kept.body, status=kept.status, headers=headers)
