"""What was sent to a webhook endpoint, and sending it again."""

import asyncio

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.webhooks.directing import require_reader, require_reader_of_delivery
from control_api.webhooks.models import DeliveryList, ReplayRequest
from control_api.webhooks.presenter import present_delivery, present_endpoint
from control_api.webhooks.stores import DELIVERIES, EVENTS
from sessions.errors import ParleyError
from store.events.cursor import Cursor
from store.webhooks.replay_start import cursor_before

TEST_WAIT_SECONDS = 20
_FIRST_LOOK_SECONDS = 0.05
_LONGEST_LOOK_SECONDS = 0.5


async def test_webhook_endpoint(call: Call) -> web.StreamResponse:
    """The delivery of a test event, once its one attempt was made, or the wait is over."""
    found = call.request.app[DELIVERIES]
    delivery = await found.test(call.organization_id, call.endpoint_id, agent_id=call.agent)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + call.query["wait_seconds"]
    pause = _FIRST_LOOK_SECONDS
    while delivery.state == "pending" and loop.time() < deadline:
        await asyncio.sleep(min(pause, max(deadline - loop.time(), 0)))
        pause = min(2 * pause, _LONGEST_LOOK_SECONDS)
        await call.check_key()
        delivery = await found.get(call.organization_id, delivery.id, agent_id=call.agent)
    return json_answer(present_delivery(delivery))


async def list_webhook_deliveries(call: Call) -> web.StreamResponse:
    """A page of deliveries, newest first."""
    found, has_more = await call.request.app[DELIVERIES].page(
        call.organization_id,
        call.endpoint_id,
        agent_id=call.agent,
        state=call.query["state"],
        limit=call.query["limit"],
        starting_after=call.query["starting_after"],
    )
    data = [present_delivery(delivery) for delivery in found]
    return json_answer(DeliveryList.of(data, has_more, lambda last: last.id))


async def redeliver(call: Call) -> web.StreamResponse:
    """202 with the delivery, which is pending again."""
    await require_reader_of_delivery(call)
    delivery = await call.request.app[DELIVERIES].redeliver(call.organization_id, call.delivery_id, agent_id=call.agent)
    return json_answer(present_delivery(delivery), status=202)


async def replay_webhook_events(call: Call) -> web.StreamResponse:
    """202 with the endpoint, whose replay is under way."""
    await require_reader(call, call.endpoint_id)
    body = call.body_as(ReplayRequest)
    if (body.after is None) == (body.since is None):
        raise ParleyError("field.required", "send one of after and since", param="after")
    events = call.request.app[EVENTS]
    after: Cursor | None
    if body.after is not None:
        after = Cursor.parse(body.after)
        await events.after(call.organization_id, after, limit=1)  # refuses one that isn't of this log
    else:
        after = await cursor_before(call.dependencies.db, events, call.organization_id, body.since)
    endpoint = await call.request.app[DELIVERIES].replay(
        call.organization_id, call.endpoint_id, after, body.types, agent_id=call.agent
    )
    return json_answer(present_endpoint(endpoint), status=202)
