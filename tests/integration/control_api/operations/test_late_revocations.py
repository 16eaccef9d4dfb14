"""A key that is revoked while a request of it is under way: what comes of every operation of the table."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, select, text, update

from control_api.http.openapi.operation import Operation
from control_api.operations import OPERATIONS
from sessions.ids import parse_id
from sessions.organizations.key_terms import KeyTerms
from store.access.api_key_rows import new_row, new_secret
from store.access.asking_key import hold_key, take_turn, wait_for_holders
from store.database.database import Database
from store.database.tables import api_keys
from tests.integration.control_api.world import World
from tests.support.network.loopback import connection

WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None and not operation.operator]
# What makes something that outlives its request: a key, a secret, a session, another address for events.
LASTING = [
    operation
    for operation in OPERATIONS
    if operation.secret_answer or operation.counts_as == "create" or operation.name == "update_webhook_endpoint"
]
_WAITS_SECONDS = 10
_AT_ONCE = 9  # the server waits 10 s for a body, and the machine may be busy
_LOOKS_EVERY_SECONDS = 0.01
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_USED = "SELECT count(*) FROM api_keys WHERE name LIKE 'late %' AND last_used_at IS NOT NULL"
_MADE = "SELECT count(*) FROM api_keys WHERE created_by IS NOT NULL"


async def test_nothing_is_done_for_a_key_that_is_revoked_while_the_body_comes(world: World) -> None:
    """The head of every request that has a body, its first byte, the revocation, the rest of the body: 401."""
    keys = await _late_keys(world, [operation.name for operation in WITH_BODY])
    answers: dict[str, tuple[int, str | None]] = {}
    for first in range(0, len(WITH_BODY), _AT_ONCE):
        some = WITH_BODY[first : first + _AT_ONCE]
        revoked = asyncio.Event()
        used = await _count(world, _USED)
        async with asyncio.TaskGroup() as group:
            asked = {
                operation.name: group.create_task(_slowly(world, operation, keys[operation.name], revoked))
                for operation in some
            }
            await _until(lambda: _count(world, _USED), used + len(some))
            mine = api_keys.c.name.in_([f"late {name}" for name in asked])
            async with _db(world).begin() as conn:
                await conn.execute(update(api_keys).where(mine).values(revoked_at=text("now()")))
            revoked.set()
        answers |= {name: task.result() for name, task in asked.items()}
    assert answers == {operation.name: (401, "key.invalid") for operation in WITH_BODY}


async def test_nothing_lasting_is_made_for_a_key_that_was_revoked_before(world: World) -> None:
    """The request has passed every check when the key is revoked: its transaction looks again, and makes nothing."""
    keys = await _late_keys(world, [operation.name for operation in LASTING])
    made = await _count(world, _MADE)
    answers: dict[str, tuple[int, str | None]] = {}
    for operation in LASTING:
        mine = api_keys.c.name == f"late {operation.name}"
        async with asyncio.TaskGroup() as group, _db(world).begin() as revoking:
            await take_turn(revoking, await _organization(world), None)
            await wait_for_holders(
                revoking, (await revoking.execute(select(api_keys.c.id).where(mine))).scalars().all()
            )
            asked = group.create_task(world.ask(operation, keys[operation.name]))
            await _until(lambda: _count(world, _WAITING), 1)
            await revoking.execute(update(api_keys).where(mine).values(revoked_at=text("now()")))
        reply = asked.result()
        answers[operation.name] = (reply.status, reply.headers.get("X-Error-Code"))
    assert answers == dict.fromkeys(answers, (401, "key.invalid"))
    assert await _count(world, _MADE) == made


async def test_a_revocation_waits_for_what_the_key_is_making(world: World) -> None:
    """So a cascade sees every key that there is, and when it has answered, nothing more is made."""
    organization_id = await _organization(world)
    for making in (lambda conn, key_id: take_turn(conn, organization_id, key_id), hold_key):
        reply = await world.api.call("POST", "/v1/api_keys", {"kind": "master"})
        path, key_id = f"/v1/api_keys/{reply.content['id']}?cascade=true", parse_id("key", reply.content["id"])
        async with asyncio.TaskGroup() as group, _db(world).begin() as conn:
            await making(conn, key_id)
            revoked = group.create_task(world.api.call("DELETE", path))
            await _until(lambda: _count(world, _WAITING), 1)
            assert not revoked.done()
        assert revoked.result().status == 204


async def _late_keys(world: World, names: list[str]) -> dict[str, str]:
    """New master keys by these names."""
    organization_id, secrets = await _organization(world), {name: new_secret("master") for name in names}
    at = datetime.now(UTC)
    rows = [new_row(organization_id, secret, KeyTerms(name=f"late {name}"), at=at) for name, secret in secrets.items()]
    async with _db(world).begin() as conn:
        await conn.execute(insert(api_keys).values(rows))
    return {name: secret.get_secret_value() for name, secret in secrets.items()}


async def _slowly(world: World, operation: Operation, key: str, go_on: asyncio.Event) -> tuple[int, str | None]:
    """Status and code of the answer to a request whose body stops after its first byte until `go_on`."""
    body = json.dumps(world.body(operation)).encode()
    head = (
        f"{operation.method} {world.path(operation)} HTTP/1.1\r\nHost: parley\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    async with connection(world.api.base_url) as (reader, writer), asyncio.timeout(_WAITS_SECONDS):
        writer.write(head.encode() + body[:1])
        await writer.drain()
        await go_on.wait()
        writer.write(body[1:])
        await writer.drain()
        answer = (await reader.read()).decode()
    lines = answer.split("\r\n")
    codes = [line.partition(": ")[2] for line in lines if line.lower().startswith("x-error-code:")]
    return int(lines[0].split()[1]), "".join(codes)


def _db(world: World) -> Database:
    return world.api.dependencies.db


async def _organization(world: World) -> UUID:
    session = (await world.api.call("GET", f"/v1/sessions/{world.session}")).content
    return parse_id("org", session["organization_id"])


async def _count(world: World, query: str) -> int:
    async with _db(world).begin() as conn:
        return int((await conn.execute(text(query))).scalar_one())


async def _until(count: Callable[[], Awaitable[int]], least: int) -> None:
    async with asyncio.timeout(_WAITS_SECONDS):
        while await count() < least:  # noqa: ASYNC110 the database can only be asked
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)
