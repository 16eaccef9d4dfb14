"""Endpoints that hang delay nobody else."""

import asyncio

import pytest
from aiohttp import web

from sessions.ids import parse_id
from store.events.numbering import number_events
from store.webhooks import endpoint_leases
from store.webhooks.endpoint_leases import EndpointLeases
from tests.integration.worker.webhooks.conftest import Subscribe
from tests.support.running.api_server import ApiServer, create_body
from tests.support.running.webhooks import Receiver, post_office
from worker.webhooks.organization_slots import OrganizationSlots

ENDPOINTS = 50
BEFORE = 8
AFTER = 4
DESKS = 4
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


async def test_organizations_whose_endpoints_hang_delay_no_other(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """With fewer desks than they have endpoints, another organization's events arrive while all of theirs hang."""
    over = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        await over.wait()
        return web.Response(status=503)

    keys = {}
    for name in ("hanging-1", "hanging-2", "hanging-3"):
        _, secret = await api.dependencies.api_keys.create(name)
        keys[name] = secret.get_secret_value()
        hooks.answers[f"/{name}"] = hang
        for _ in range(DESKS):
            hanging = {"url": f"{hooks.url}/{name}", "event_types": ["session.queued"]}
            assert (await api.call("POST", "/v1/webhook_endpoints", hanging, key=keys[name])).status == 201
    await subscribe("/live", event_types=["session.queued"])
    slots = OrganizationSlots(per_organization=1, in_all=DESKS)
    async with post_office(database_url, attempt_seconds=120, lease_seconds=240, desks=DESKS, slots=slots):
        for count, (name, key) in enumerate(keys.items(), 1):
            assert (await api.call("POST", "/v1/sessions", create_body(name), key=key)).status == 201
            await hooks.until(1, f"/{name}", seconds=60)
            await api.create(f"room-{count}")
            await hooks.until(count, "/live", seconds=60)
        over.set()


async def test_organizations_take_turns_where_not_all_endpoints_are_found_at_once(
    api: ApiServer, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has many endpoints with something to do hides no other's."""
    monkeypatch.setattr(endpoint_leases, "_AT_ONCE", 2)
    for _ in range(DESKS):
        await subscribe(event_types=["session.queued"])
    _, secret = await api.dependencies.api_keys.create("other")
    other = {"url": "https://hooks.example.com", "event_types": ["session.queued"]}
    made = await api.call("POST", "/v1/webhook_endpoints", other, key=secret.get_secret_value())
    await api.create("room")
    assert (await api.call("POST", "/v1/sessions", create_body("room-2"), key=secret.get_secret_value())).status == 201
    await number_events(api.dependencies.db)
    for _ in range(4):
        found = await EndpointLeases(api.dependencies.db).find(None, [])
        assert len(found) == 2
        assert parse_id("whe", made.content["id"]) in found
