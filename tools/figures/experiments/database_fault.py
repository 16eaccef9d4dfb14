"""Clients of the API while PostgreSQL is frozen: how long each answer takes, whatever it says."""

import asyncio
import contextlib
import shutil
import time
from typing import Any

from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer
from sessions.settings import Settings
from store.database.server.schema import migrate
from tests.support.running.stack import Stack, eventually
from tests.support.services.postgres_cluster import PostgresCluster
from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import quietly

_ANSWERS = 200
_CLIENTS = 12
_FROZEN_SECONDS = 12.0
_BOUND_SECONDS: float = Settings.model_fields["database_timeout_seconds"].default
_OWN_SECONDS = 0.1  # that a request computes besides its waiting, which is what has the bound


async def measure(options: Options) -> list[Figure]:
    """N is a number of answers to requests that were made while the database was frozen."""
    cluster = PostgresCluster(options.folder / "pg")
    cluster.start()
    seconds: list[float] = []
    try:
        await asyncio.to_thread(migrate, cluster.url)
        with LiveKitServer(find_or_build(print), options.folder / "livekit") as livekit:
            async with quietly(Stack(options.folder, cluster.url, livekit)) as stack:
                await stack.start_api()
                session = await stack.create("room")
                while len(seconds) < (options.n or _ANSWERS):
                    seconds += await _one_fault(stack, cluster, session["id"])
    finally:
        cluster.stop()
        shutil.rmtree(options.folder / "pg")
    goal = Goal("max", _BOUND_SECONDS + _OWN_SECONDS)
    return [Figure("an answer of the API in a database fault", "s", goal, tuple(seconds))]


async def _one_fault(stack: Stack, cluster: PostgresCluster, session_id: str) -> list[float]:
    """The database is frozen in the middle of what many clients ask; they go on asking."""
    took: list[float] = []
    async with asyncio.timeout(_FROZEN_SECONDS * 5), asyncio.TaskGroup() as group:
        over = asyncio.Event()
        for number in range(_CLIENTS):
            group.create_task(_ask(stack, session_id, number, over, took))
        await asyncio.sleep(0.2)
        took.clear()
        with cluster.frozen():
            await asyncio.sleep(_FROZEN_SECONDS)
            over.set()
            await asyncio.sleep(2 * _BOUND_SECONDS)

    async def answers() -> bool:
        return (await stack.call("GET", f"/v1/sessions/{session_id}"))[0] == 200

    await eventually(answers, what="the API answers again")
    return took


async def _ask(stack: Stack, session_id: str, number: int, over: asyncio.Event, took: list[float]) -> None:
    method, path, body = _requests(session_id)[number % len(_requests(session_id))]
    while not over.is_set():
        began = time.monotonic()
        with contextlib.suppress(TimeoutError):
            await stack.call(method, path, body)
        took.append(time.monotonic() - began)


def _requests(session_id: str) -> list[tuple[str, str, Any]]:
    own = f"/v1/sessions/{session_id}"
    return [
        ("GET", "/v1/sessions", None),
        ("GET", own, None),
        ("GET", f"{own}/timeline", None),
        ("GET", "/v1/usage/events", None),
        ("PATCH", own, {"title": "frozen"}),
        ("POST", f"{own}/messages", {"content": "hello"}),
    ]
