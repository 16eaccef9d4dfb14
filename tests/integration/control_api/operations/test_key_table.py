"""Every operation of the table, with every key that may not use it.

What is derived from an operation's path needs no row here; every other operation with a key has one in `ELSEWHERE`, and
the first test says which is missing.
"""

import json
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from control_api.http.openapi.operation import Operation
from control_api.operations import OPERATIONS
from sessions.ids import format_id, parse_id
from sessions.organizations.key_terms import SCOPES
from tests.integration.control_api.world import World, open_world
from tests.support.running.api_server import Reply

# What anybody may ask, and what any key will do for. Written down here, so that an operation doesn't become public, or
# lose its scope, by an oversight in the table.
PUBLIC = {"get_object", "get_status", "get_health", "get_readiness", "get_metrics", "get_openapi", "get_docs"}
ANY_KEY = {"list_codes", "get_limits", "list_event_types"}

OPERATORS = {"get_operator_overview"}

PROTECTED = [operation for operation in OPERATIONS if not operation.public and not operation.operator]
ADDRESSING = ("{session_id}", "{session_key}", "{key_id}", "{agent_id}", "{endpoint_id}", "{delivery_id}")

# What operations without an object in their path do for keys that are good, but somebody else's.
LISTED = "listed"  # 200 without the session
MADE = "made"  # a 2xx answer about something of their own
ANYBODY = "anybody"  # the same for every key
ELSEWHERE = {
    "create_session": MADE,
    "list_sessions": LISTED,
    "create_task_session": MADE,
    "list_task_sessions": LISTED,
    "get_usage": LISTED,
    "verify_usage": LISTED,
    "list_usage_events": LISTED,
    "create_api_key": MADE,
    "list_api_keys": LISTED,
    "create_webhook_endpoint": MADE,
    "list_webhook_endpoints": LISTED,
    "list_codes": ANYBODY,
    "get_limits": ANYBODY,
    "list_organization_events": LISTED,
    "stream_organization_events": LISTED,
    "list_event_types": ANYBODY,
}
INCLUDED_IN = {"sessions:read_metadata": {"sessions:read_metadata", "sessions:read"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def untouched_world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for all operations: who uses it looks whether it still is what it was."""
    async with open_world(module_database_url, tmp_path_factory.mktemp("world")) as made:
        yield made


def _addresses(operation: Operation) -> bool:
    """Whether its path, query or body names the session."""
    in_body = operation.body is not None and "sessionId" in operation.body.model_json_schema().get("properties", {})
    in_query = any(parameter.name == "sessionId" for parameter in operation.query)
    return in_body or in_query or any(name in operation.path for name in ADDRESSING)


def test_every_operation_is_covered() -> None:
    """An operation without an object in its path needs a row in ELSEWHERE; one without a key or a scope, in its set."""
    assert {operation.name for operation in OPERATIONS if operation.public} == PUBLIC
    assert {operation.name for operation in OPERATIONS if operation.operator} == OPERATORS
    assert {operation.name for operation in PROTECTED if operation.scope is None} == ANY_KEY
    missing = [
        operation.name for operation in PROTECTED if operation.name not in ELSEWHERE and not _addresses(operation)
    ]
    assert missing == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("operation", PROTECTED, ids=lambda operation: operation.name)
async def test_no_operation_lets_the_wrong_key_pass(operation: Operation, untouched_world: World) -> None:
    """No key, garbage, a dead one: 401; no scope: 403; another organization's or agent's key: nothing to be seen."""
    world = untouched_world
    none = await world.ask(operation, None)
    assert (none.status, none.headers["X-Error-Code"]) == (401, "key.missing")
    for dead in (world.revoked, world.expired, "parley_master_" + "x" * 43, "garbage"):
        refused = await world.ask(operation, dead)
        assert (refused.status, refused.headers["X-Error-Code"]) == (401, "key.invalid")
    if operation.scope is not None:
        others = set(SCOPES) - INCLUDED_IN.get(operation.scope, {operation.scope})
        lacking = await world.ask(operation, await world.agent_key("agent_a", others))
        assert (lacking.status, lacking.headers["X-Error-Code"]) == (403, "scope.missing")
        assert operation.scope in lacking.body.decode()
        nothing = await world.ask(operation, await world.agent_key("agent_a", set()))
        assert (nothing.status, nothing.headers["X-Error-Code"]) == (403, "scope.missing")
    for stranger in (world.other_organization, world.other_agent):
        _check_stranger(operation, world, await world.ask(operation, stranger))
    untouched = (await world.api.call("GET", f"/v1/sessions/{world.session}")).content
    assert (untouched["status"], untouched["title"], untouched["archived_at"]) == ("queued", None, None)
    [own] = [
        key
        for key in await world.api.dependencies.api_keys.list(
            parse_id("org", untouched["organization_id"]), agent_id="agent_a"
        )
        if format_id("key", key.id) == world.key
    ]
    assert (own.revoked_at, own.expires_at) == (None, None)


async def test_nothing_shows_content_to_a_key_that_may_not_read_it(world: World, database_url: str) -> None:
    """Every operation but those that need sessions:read, with every other scope; what was said is null."""
    canary = "boysenberry"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "UPDATE sessions SET prompt = %(said)s, preview = %(said)s, output_preview = %(said)s, "
            "metadata = %(members)s, data = %(members)s",
            {"said": canary, "members": json.dumps({"said": canary})},
        )
    assert canary in (await world.api.call("GET", f"/v1/sessions/{world.session}")).body.decode()
    blind = await world.agent_key("agent_a", set(SCOPES) - {"sessions:read"})
    asked = [operation for operation in PROTECTED if operation.scope != "sessions:read"]
    shown = set()
    for operation in sorted(
        asked, key=lambda operation: (operation.method == "DELETE", operation.name == "cancel_session")
    ):
        reply = await world.ask(operation, blind)
        assert canary not in reply.body.decode(), operation.name
        if reply.status == 200 and world.session in reply.body.decode():
            shown.add(operation.name)
    assert shown >= {"get_session", "list_sessions", "update_session", "archive_session", "list_agent_sessions"}


def _check_stranger(operation: Operation, world: World, reply: Reply) -> None:
    kind = ELSEWHERE.get(operation.name, "addressed")
    if kind == "addressed":
        agent_only = "{agent_id}" in operation.path and "{session_key}" not in operation.path
        if not (agent_only and reply.status == 200):  # another organization may have an agent of that name
            assert (reply.status, reply.headers["X-Error-Code"]) == (404, "not_found")
    elif kind == MADE:
        assert reply.status in (201, 200)
        assert reply.content.get("agent_id") != "agent_a"
    else:
        assert reply.status == 200
    assert world.session not in reply.body.decode()
    assert world.key not in reply.body.decode()
    assert world.endpoint not in reply.body.decode()
