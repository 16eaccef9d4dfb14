"""What happens to endpoints in the midst of deliveries, and when there is a lot to deliver."""

import asyncio
from collections import Counter

import pytest
from aiohttp import web
from sqlalchemy import text

from store.webhooks.housekeeping import clear_deliveries
from tests.integration.worker.webhooks.conftest import Subscribe
from tests.support.running.api_server import ApiServer
from tests.support.running.stack import eventually
from tests.support.running.webhooks import Receiver, post_office
from worker.webhooks.endpoint_desk import LANES

MANY = 10_000


async def test_an_endpoint_that_is_deleted_in_the_midst_gets_nothing_more(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """What is under way ends; its failure is not tried again; the others go on, and nothing is left of it."""
    answered = asyncio.Event()

    async def fail_late(_request: web.Request) -> web.Response:
        await answered.wait()
        return web.Response(status=500)

    hooks.answers["/gone"] = fail_late
    gone = await subscribe("/gone", event_types=["session.queued"])
    await subscribe("/other", event_types=["session.queued"])
    async with post_office(database_url, schedule=(0.05, 0.05), lease_seconds=3, attempt_seconds=2):
        await api.create("one")
        await hooks.until(1, "/gone")
        assert (await api.call("DELETE", f"/v1/webhook_endpoints/{gone['id']}")).status == 204
        answered.set()
        await api.create("two")
        await hooks.until(2, "/other")
        await asyncio.sleep(0.5)
        assert len(hooks.of("/gone")) == 1
        assert (await api.call("GET", f"/v1/webhook_endpoints/{gone['id']}/deliveries")).status == 404
    await clear_deliveries(api.dependencies.db)
    async with api.dependencies.db.begin() as conn:
        assert not (await conn.execute(text("SELECT 1 FROM webhook_endpoints WHERE status = 'deleted'"))).all()


async def test_what_waits_goes_to_the_endpoint_as_it_is_then(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """A new URL and a new secret hold for every attempt that begins after them, and so does being disabled."""
    answered = asyncio.Event()

    async def late(_request: web.Request) -> web.Response:
        await answered.wait()
        return web.Response()

    hooks.answers |= {"/old": late, "/new": late}
    endpoint = await subscribe("/old", event_types=["session.queued"])
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    for number in range(LANES * 3):
        await api.create(f"room-{number}")
    async with post_office(database_url, attempt_seconds=20, lease_seconds=40):
        await hooks.until(LANES, "/old")
        rotated = (await api.call("POST", f"{path}/rotate_secret")).content
        assert (await api.call("PATCH", path, {"url": f"{hooks.url}/new"})).status == 200
        answered.set()
        answered = asyncio.Event()
        came = await hooks.until(LANES, "/new")
        for request in came:
            for secret in (endpoint["secret"], rotated["secret"]):
                request.verified(secret)
        assert (await api.call("PATCH", path, {"status": "disabled"})).status == 200
        answered.set()
        await asyncio.sleep(0.5)
        assert (len(hooks.of("/old")), len(hooks.of("/new"))) == (LANES, LANES)


@pytest.mark.long
async def test_ten_thousand_events_are_replayed_once_each(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """While new ones come, with at most so many waiting at a time, and by processes that are stopped in between."""
    endpoint = await subscribe(event_types=["webhook_endpoint.*", "session.queued"])
    db = api.dependencies.db
    async with db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO event_inbox (id, organization_id, type, at, facts) SELECT gen_random_uuid(), o.id,"
                " 'webhook_endpoint.disabled', now(), jsonb_build_object('endpoint_id', i::text)"
                f" FROM organizations o, generate_series(1, {MANY}) AS i"
            )
        )
        await conn.execute(text(f"SELECT number_events({MANY})"))
        # As if the endpoint had been made after them.
        await conn.execute(
            text(
                "UPDATE webhook_endpoints e SET position = l.last_position, cursor = CAST(lpad(to_hex(l.last_position),"
                " 16, '0') || right(replace(v.id::text, '-', ''), 16) AS uuid)"
                " FROM event_logs l JOIN events v USING (organization_id)"
                " WHERE l.organization_id = e.organization_id AND v.position = l.last_position"
            )
        )
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    assert (await api.call("POST", f"{path}/replay", {"since": "2020-01-01T00:00:00Z"})).status == 202
    new = 0
    for count in (MANY // 3, 2 * MANY // 3, MANY):
        async with post_office(database_url):
            new += 1
            await api.create(f"new-{new}")
            await hooks.until(count + new, seconds=300)
    async with post_office(database_url):
        await eventually(lambda: _is_over(api, path), seconds=60, what="the replay is over")
    ids = Counter(request.headers["webhook-id"] for request in hooks.received)
    again = [id_ for id_, count in ids.items() if count > 1]
    assert len(ids) == MANY + new
    assert len(again) <= 4 * 3, "more than what was under way when a process stopped"
    assert hooks.most_at_once["/hook"] <= 4
    async with db.begin() as conn:
        states = await conn.execute(text("SELECT state, count(*) FROM webhook_deliveries GROUP BY state"))
        assert [tuple(row) for row in states] == [("succeeded", MANY + new)]


async def _is_over(api: ApiServer, path: str) -> bool:
    pending = (await api.call("GET", f"{path}/deliveries?state=pending&limit=1")).content["data"]
    return not pending and (await api.call("GET", path)).content["replaying_since"] is None
