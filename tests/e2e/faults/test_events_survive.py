"""Processes that are killed and a database that goes away lose no event, neither for a stream nor for a webhook."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parley.client.account import Account
from parley.client.api_client import connected
from parley.client.event_stream import EventStream
from parley.servers.livekit_server import LiveKitServer
from tests.support.network.webhook_listener import webhook_listener
from tests.support.running.stack import MASTER_KEY, Process, Stack, eventually
from tests.support.services.pgbouncer import PgBouncer
from tests.support.services.postgres_cluster import PostgresCluster

KILLS = 4
OUTAGE_SECONDS = 3.0
LANES = 4
SETTINGS = {
    "PARLEY_WEBHOOK_ALLOW_HTTP": "true",
    "PARLEY_WEBHOOK_ALLOW_PRIVATE_HOSTS": "true",
    "PARLEY_WEBHOOK_PORTS": "0",
    "PARLEY_WEBHOOK_TIMEOUT_SECONDS": "2",  # a dead process's endpoints go on with another one after twice that
    "PARLEY_SPEECH_ENGINE": "none",
}


@pytest.mark.long
@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "through PgBouncer"])
async def test_nothing_is_lost_and_only_what_was_under_way_comes_twice(
    pooled: bool, own_postgres: PostgresCluster, livekit: LiveKitServer, room: str, tmp_path: Path
) -> None:
    """The process of webhooks is killed again and again, then the database is away for a while, twice."""
    folder = own_postgres.folder.with_name(f"{own_postgres.folder.name}-b")
    async with AsyncExitStack() as opened:
        url = own_postgres.url
        if pooled:
            url = opened.enter_context(PgBouncer(folder, own_postgres.folder, connections=6)).url
        hooks = await opened.enter_async_context(webhook_listener())
        stack = await opened.enter_async_context(Stack(tmp_path, url, livekit, SETTINGS))
        await stack.start_api()
        worker = await stack.start_worker()
        status, endpoint = await stack.call("POST", "/v1/webhook_endpoints", {"url": hooks.url})
        assert status == 201, endpoint
        hooks.secret = endpoint["secret"]
        async with _streamed(stack) as streamed, asyncio.TaskGroup() as group:
            making = group.create_task(_make(stack, room))
            for _ in range(KILLS):
                await asyncio.sleep(1.5)
                await _kill_webhooks(worker)
            for _ in range(2):
                own_postgres.stop()
                await asyncio.sleep(OUTAGE_SECONDS)
                own_postgres.start()
                await asyncio.sleep(3)
            making.cancel()
            ids = await _listed(stack)

            async def all_came() -> bool:
                return set(ids) <= set(hooks.ids) and len(streamed) >= len(ids)

            await eventually(all_came, seconds=60, what=f"{len(ids)} events: {len(streamed)} and {len(set(hooks.ids))}")
    shutil.rmtree(folder, ignore_errors=True)
    twice = {id_: count for id_, count in Counter(hooks.ids).items() if count > 1}
    print(f"{len(ids)} events, {len(twice)} of them posted again")  # noqa: T201 - shown with the figures
    assert len(ids) > 50
    assert streamed == ids
    assert set(hooks.ids) == set(ids)
    assert hooks.refused == 0
    assert len(twice) <= LANES * (KILLS + 2), twice


async def _make(stack: Stack, room: str) -> None:
    """Sessions that wait for their time and are canceled; what is refused meanwhile is left alone."""
    number = 0
    while True:
        number += 1
        name = f"{room}-{number}"
        transport: dict[str, Any] = {"type": "livekit", "url": stack.livekit.url, "room_name": name}
        transport["worker_token"] = stack.token(name, ttl=7200)
        start_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        status, made = await stack.call("POST", "/v1/sessions", {"transport": transport, "start_at": start_at})
        if status == 201:
            await stack.call("POST", f"/v1/sessions/{made['id']}/cancel")
        await asyncio.sleep(0.02)


async def _kill_webhooks(worker: Process) -> None:
    async def there() -> bool:
        return bool(worker.living("webhooks"))

    await eventually(there, what="a process of webhooks")
    worker.child("webhooks").kill()


@asynccontextmanager
async def _streamed(stack: Stack) -> AsyncIterator[list[str]]:
    """The ids of all events as a reader has them who comes back by its cursor."""
    ids: list[str] = []
    begun = asyncio.Event()

    async def read() -> None:
        async with connected(Account(stack.bases[0], MASTER_KEY)) as api:
            stream = EventStream(api, cursor=None, changed=lambda _: begun.set())
            async for event in stream.events():
                ids.append(_id_of(event.body))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(read())
        await begun.wait()
        yield ids
        task.cancel()


def _id_of(body: bytes) -> str:
    return body.partition(b'"id":"')[2].partition(b'"')[0].decode()


async def _listed(stack: Stack) -> list[str]:
    """The ids of the whole log, once the API answers again."""

    async def answers() -> bool:
        return (await stack.call("GET", "/readyz"))[0] == 200

    await eventually(answers, what="the API is ready again")
    ids: list[str] = []
    query = ""
    while True:
        status, page = await stack.call("GET", f"/v1/events?limit=500{query}")
        assert status == 200, page
        ids += [event["id"] for event in page["data"]]
        if not page["has_more"]:
            return ids
        query = f"&after={page['next_cursor']}"
