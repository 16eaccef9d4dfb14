"""One endpoint that hangs delays nobody else."""

import asyncio

from aiohttp import web

from tests.integration.worker.webhooks.conftest import Subscribe
from tests.support.running.api_server import ApiServer
from tests.support.running.webhooks import Receiver, post_office

ENDPOINTS = 50
BEFORE = 8
AFTER = 4
MOST_AT_ONCE = 4  # requests to one endpoint


async def test_one_dead_among_fifty_delays_nobody(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """While its requests, four at most, hang until the end, the other endpoints get everything."""
    over = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        await over.wait()
        return web.Response(status=503)

    hooks.answers["/dead"] = hang
    wanted = {"event_types": ["session.queued"]}
    live = [f"/live-{number}" for number in range(ENDPOINTS - 1)]
    for path in ("/dead", *live):
        await subscribe(path, **wanted)
    async with post_office(database_url, attempt_seconds=120, lease_seconds=240, look_seconds=1.0):
        for number in range(BEFORE):
            await api.create(f"before-{number}")
        await hooks.until(1, "/dead", seconds=60)
        sessions = [await api.create(f"room-{number}") for number in range(AFTER)]
        for path in live:
            came = await hooks.until(BEFORE + AFTER, path, seconds=60)
            bodies = b"".join(post.body for post in came)
            assert all(session["id"].encode() in bodies for session in sessions)
        assert len(hooks.of("/dead")) <= MOST_AT_ONCE
        over.set()
