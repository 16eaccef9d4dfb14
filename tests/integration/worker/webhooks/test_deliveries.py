"""From an event to a receiver: signed, in order, again after a failure, never lost."""

import asyncio
from typing import Any

from aiohttp import web

from tests.integration.worker.webhooks.conftest import Subscribe
from tests.support.running.api_server import ApiServer
from tests.support.running.webhooks import SOON, Receiver, post_office


async def _deliveries(api: ApiServer, endpoint: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    reply = await api.call("GET", f"/v1/webhook_endpoints/{endpoint['id']}/deliveries?limit=100{query}")
    assert reply.status == 200, reply.content
    data = reply.content["data"]
    assert isinstance(data, list)
    return data


async def _settled(api: ApiServer, endpoint: dict[str, Any], count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(SOON):
        while True:
            found = await _deliveries(api, endpoint)
            if len(found) >= count and all(delivery["state"] != "pending" for delivery in found):
                return found
            await asyncio.sleep(0.05)


async def test_events_arrive_signed_and_as_the_log_has_them(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """Each event once, with its id as webhook-id, good for Standard Webhooks' own verifier."""
    endpoint = await subscribe(event_types=["session.*"])
    async with post_office(database_url):
        session = await api.create("room")
        came = await hooks.until(2)
        settled = await _settled(api, endpoint, 2)
    bodies = [request.verified(endpoint["secret"]) for request in came]
    assert {body["type"] for body in bodies} == {"session.created", "session.queued"}
    assert {body["session_id"] for body in bodies} == {session["id"]}
    assert {request.headers["webhook-id"] for request in came} == {body["id"] for body in bodies}
    assert {delivery["event_id"] for delivery in settled} == {body["id"] for body in bodies}
    assert [len(delivery["attempts"]) for delivery in settled] == [1, 1]
    assert {delivery["attempts"][0]["status"] for delivery in settled} == {204}
    assert came[0].headers["Content-Type"] == "application/json"


async def test_only_what_the_endpoint_wants_is_sent(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """By type and by agent; what happened before it was made, too, is not."""
    await api.create("before", agent_id="agent_a")
    await subscribe("/queued", event_types=["session.queued"])
    await subscribe("/agent", agent_id="agent_b")
    async with post_office(database_url):
        await api.create("room-a", agent_id="agent_a")
        await api.create("room-b", agent_id="agent_b")
        await hooks.until(2, "/queued")
        await hooks.until(2, "/agent")
        await asyncio.sleep(0.3)
    assert len(hooks.of("/queued")) == 2
    assert len(hooks.of("/agent")) == 2


async def test_a_failure_is_tried_again_with_the_same_id(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """Until one attempt succeeds; every attempt is shown with what came back."""
    statuses = iter((500, 302, 200))

    async def answer(_request: web.Request) -> web.Response:
        status = next(statuses)
        return web.Response(status=status, text=f"said {status}", headers={"Location": "/elsewhere"})

    hooks.answers["/hook"] = answer
    endpoint = await subscribe(event_types=["session.queued"])
    async with post_office(database_url):
        await api.create("room")
        came = await hooks.until(3)
        [delivery] = await _settled(api, endpoint, 1)
    assert len({request.headers["webhook-id"] for request in came}) == 1
    assert {request.path for request in came} == {"/hook"}
    assert delivery["state"] == "succeeded"
    assert [(a["status"], a["error"], a["answer"]) for a in delivery["attempts"]] == [
        (500, "status", "said 500"),
        (302, "redirect", "said 302"),
        (200, None, "said 200"),
    ]


async def test_after_the_schedule_a_delivery_has_failed_until_it_is_asked_for_again(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """Redelivery starts the schedule anew, with the same id."""

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=503)

    hooks.answers["/hook"] = refuse
    endpoint = await subscribe(event_types=["session.queued"])
    async with post_office(database_url, schedule=(0.02,)):
        await api.create("room")
        [failed] = await _settled(api, endpoint, 1)
        assert (failed["state"], len(failed["attempts"])) == ("failed", 2)
        assert (await api.call("GET", f"/v1/webhook_endpoints/{endpoint['id']}")).content["failing_since"] is not None
        del hooks.answers["/hook"]
        again = await api.call("POST", f"/v1/deliveries/{failed['id']}/redeliver")
        assert (again.status, again.content["state"]) == (202, "pending")
        [delivered] = await _settled(api, endpoint, 1)
    assert (delivered["state"], len(delivered["attempts"])) == ("succeeded", 3)
    assert len({request.headers["webhook-id"] for request in hooks.received}) == 1
    assert (await api.call("GET", f"/v1/webhook_endpoints/{endpoint['id']}")).content["failing_since"] is None


async def test_nothing_is_lost_while_nobody_delivers(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """What happened while the process was away, or was cut off in the middle, comes when it is back."""
    hanging = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        hanging.set()
        await asyncio.sleep(60)
        raise AssertionError("unreachable")

    endpoint = await subscribe(event_types=["session.queued"])
    await api.create("while-away")
    hooks.answers["/hook"] = hang
    async with post_office(database_url, attempt_seconds=30, lease_seconds=60):
        await asyncio.wait_for(hanging.wait(), SOON)
    del hooks.answers["/hook"]
    await api.create("while-away-again")
    async with post_office(database_url):
        await _settled(api, endpoint, 2)
    ids = [request.headers["webhook-id"] for request in hooks.received]
    assert len(ids) == 3
    assert len(set(ids)) == 2


async def test_a_killed_process_leaves_its_lease_and_no_more(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """Another one takes over when the lease has run out, and not before."""
    endpoint = await subscribe(event_types=["session.queued"])
    async with api.dependencies.db.begin() as conn:
        await conn.exec_driver_sql(
            "UPDATE webhook_endpoints SET lease_owner = gen_random_uuid(),"
            " leased_until = clock_timestamp() + interval '1.5 s'"
        )
    async with post_office(database_url):
        await api.create("room")
        await asyncio.sleep(0.7)
        assert hooks.received == []
        await _settled(api, endpoint, 1)


async def test_two_processes_deliver_each_event_once(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """One at a time has an endpoint: never more than four requests at once, and no event twice."""

    async def slowly(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.03)
        return web.Response()

    hooks.answers["/hook"] = slowly
    endpoint = await subscribe(event_types=["session.queued"])
    async with post_office(database_url), post_office(database_url):
        for number in range(12):
            await api.create(f"room-{number}")
        await _settled(api, endpoint, 12)
    ids = [request.headers["webhook-id"] for request in hooks.received]
    assert len(ids) == len(set(ids)) == 12
    assert hooks.most_at_once["/hook"] <= 4


async def test_a_replay_sends_the_past_again(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """From a cursor or a time on, only the types that are asked for, with the ids of before."""
    endpoint = await subscribe(event_types=["session.*"])
    async with post_office(database_url):
        for number in range(3):
            await api.create(f"room-{number}")
        await _settled(api, endpoint, 6)
        first = list(hooks.received)
        replay = f"/v1/webhook_endpoints/{endpoint['id']}/replay"
        bodies = sorted((request.verified(endpoint["secret"]) for request in first), key=lambda body: body["cursor"])
        asked = await api.call("POST", replay, {"after": bodies[1]["cursor"], "types": ["session.queued"]})
        assert (asked.status, asked.content["replaying_since"] is None) == (202, False)
        await hooks.until(8)
        await _settled(api, endpoint, 6)
        assert (await api.call("POST", replay, {"since": "2020-01-01T00:00:00Z"})).status == 202
        await hooks.until(14)
        await _settled(api, endpoint, 6)
        assert (await api.call("POST", replay, {"since": "2099-01-01T00:00:00Z"})).status == 202
        await asyncio.sleep(0.4)
        now = (await api.call("GET", f"/v1/webhook_endpoints/{endpoint['id']}")).content
    again = [request.verified(endpoint["secret"]) for request in hooks.received[6:8]]
    assert {body["type"] for body in again} == {"session.queued"}
    assert {body["id"] for body in again} == {body["id"] for body in bodies[2:] if body["type"] == "session.queued"}
    assert {request.headers["webhook-id"] for request in hooks.received[8:]} == {body["id"] for body in bodies}
    assert (len(hooks.received), now["replaying_since"]) == (14, None)


async def test_for_a_day_a_rotated_secret_signs_too(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """Receivers may change theirs in between; after a day only the new one is good."""
    endpoint = await subscribe()
    rotated = (await api.call("POST", f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret")).content
    assert rotated["secret"] != endpoint["secret"]
    async with post_office(database_url):
        tested = await api.call("POST", f"/v1/webhook_endpoints/{endpoint['id']}/test")
        [came] = await hooks.until(1)
        for secret in (endpoint["secret"], rotated["secret"]):
            assert came.verified(secret)["type"] == "webhook_endpoint.test"
        assert (tested.status, tested.content["state"]) == (200, "succeeded")
        assert tested.content["attempts"][0]["status"] == 204
        async with api.dependencies.db.begin() as conn:
            await conn.exec_driver_sql("UPDATE webhook_endpoints SET old_secret_until = clock_timestamp()")
        await api.call("POST", f"/v1/webhook_endpoints/{endpoint['id']}/test")
        late = (await hooks.until(2))[1]
    assert len(late.headers["webhook-signature"].split()) == 1
    assert late.verified(rotated["secret"])["id"] == late.headers["webhook-id"]


async def test_an_endpoint_that_says_gone_is_disabled(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """410: nothing more is sent, others hear of it, and enabled again it gets what it missed."""

    async def gone(_request: web.Request) -> web.Response:
        return web.Response(status=410)

    hooks.answers["/gone"] = gone
    endpoint = await subscribe("/gone", event_types=["session.queued"])
    witness = await subscribe("/witness", event_types=["webhook_endpoint.*"])
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    async with post_office(database_url):
        await api.create("room")
        [told] = await hooks.until(1, "/witness")
        body = told.verified(witness["secret"])
        assert body["data"]["endpoint_id"] == endpoint["id"]
        assert body["data"]["reason"] == "gone"
        assert body["data"]["url"] == hooks.url, "without its path, which may have a secret"
        await api.create("room-2")
        await asyncio.sleep(0.3)
        now = (await api.call("GET", path)).content
        assert (now["status"], now["disabled_reason"], len(hooks.of("/gone"))) == ("disabled", "gone", 1)
        refused = await api.call("POST", path + "/test")
        assert (refused.status, refused.code) == (409, "webhook.disabled")
        del hooks.answers["/gone"]
        enabled = (await api.call("PATCH", path, {"status": "enabled"})).content
        assert (enabled["status"], enabled["disabled_at"]) == ("enabled", None)
        await hooks.until(2, "/gone")


async def test_an_endpoint_that_fails_for_days_is_disabled(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """Only when nothing was delivered in all that time."""

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    hooks.answers["/hook"] = refuse
    endpoint = await subscribe(event_types=["session.queued"])
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    async with post_office(database_url, failing_days=0.1 / 86400):
        await api.create("room")
        async with asyncio.timeout(SOON):
            while True:
                now = (await api.call("GET", path)).content
                if now["status"] == "disabled":
                    break
                await asyncio.sleep(0.05)
    assert now["disabled_reason"] == "failing"
    assert len(hooks.received) >= 2


async def test_an_erased_session_leaves_no_answers(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str
) -> None:
    """What a receiver said may quote the event."""

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    hooks.answers["/hook"] = echo
    endpoint = await subscribe(event_types=["session.queued"])
    async with post_office(database_url):
        session = await api.create("room", metadata={"said": "boysenberry"})
        [delivery] = await _settled(api, endpoint, 1)
    assert "boysenberry" in delivery["attempts"][0]["answer"]
    assert (await api.call("DELETE", f"/v1/sessions/{session['id']}")).status == 204
    [delivery] = await _deliveries(api, endpoint)
    assert delivery["attempts"][0]["answer"] is None
