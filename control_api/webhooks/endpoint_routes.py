"""`/v1/webhook_endpoints`: make, list, read, change, delete, rotate the secret."""

from aiohttp import web
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.requests.authentication import require_scope
from control_api.http.requests.call import Call
from control_api.http.serving.admission import ANSWER_VAULT
from control_api.webhooks.directing import require_reader
from control_api.webhooks.models import (
    CreateWebhookEndpointRequest,
    UpdateWebhookEndpointRequest,
    WebhookEndpointList,
)
from control_api.webhooks.presenter import present_endpoint, present_new_endpoint
from control_api.webhooks.stores import ENDPOINTS
from sessions.destinations.webhook_url import check_webhook_url
from sessions.errors import ParleyError
from store.webhooks.endpoint import WebhookEndpoint
from store.webhooks.endpoints import Keep


async def create_webhook_endpoint(call: Call) -> web.StreamResponse:
    """201 with the secret, which is shown only now."""
    body = call.body_as(CreateWebhookEndpointRequest)
    require_scope(call.principal, "sessions:read_metadata")
    if call.agent is not None and body.agent_id not in (None, call.agent):
        raise ParleyError("agent.not_allowed", "the API key is for its own agent only", param="agent_id")
    check_webhook_url(body.url, call.dependencies.settings.webhook_url_rules)
    endpoint, secret = await call.request.app[ENDPOINTS].create(
        call.organization_id,
        url=body.url,
        event_types=body.event_types,
        description=body.description,
        agent_id=call.agent or body.agent_id,
        reads_content=call.reads_content,
        asked_by=call.principal.key_id,
        keep=_keep(call, 201),
    )
    return _shown_once(endpoint, secret, 201)


async def list_webhook_endpoints(call: Call) -> web.StreamResponse:
    """A page of endpoints, newest first."""
    found, has_more = await call.request.app[ENDPOINTS].page(
        call.organization_id,
        agent_id=call.agent,
        limit=call.query["limit"],
        starting_after=call.query["starting_after"],
    )
    data = [present_endpoint(endpoint) for endpoint in found]
    return json_answer(WebhookEndpointList.of(data, has_more, lambda last: last.id))


async def get_webhook_endpoint(call: Call) -> web.StreamResponse:
    """One endpoint."""
    endpoint = await call.request.app[ENDPOINTS].get(call.organization_id, call.endpoint_id, agent_id=call.agent)
    return json_answer(present_endpoint(endpoint))


async def update_webhook_endpoint(call: Call) -> web.StreamResponse:
    """Change what is sent; the endpoint as it is then."""
    asked = call.body_as(UpdateWebhookEndpointRequest).model_dump(exclude_unset=True)
    changes = {name: value for name, value in asked.items() if value is not None or name == "description"}
    if "url" in changes or changes.get("status") == "enabled":
        await require_reader(call, call.endpoint_id)
    if "url" in changes:
        check_webhook_url(changes["url"], call.dependencies.settings.webhook_url_rules)
    endpoint = await call.request.app[ENDPOINTS].update(
        call.organization_id, call.endpoint_id, changes, agent_id=call.agent, asked_by=call.principal.key_id
    )
    return json_answer(present_endpoint(endpoint))


async def delete_webhook_endpoint(call: Call) -> web.StreamResponse:
    """204; nothing is sent any more."""
    await call.request.app[ENDPOINTS].delete(call.organization_id, call.endpoint_id, agent_id=call.agent)
    return web.Response(status=204)


async def rotate_webhook_secret(call: Call) -> web.StreamResponse:
    """200 with the new secret, which is shown only now; for a day the old one signs, too."""
    await require_reader(call, call.endpoint_id)
    endpoint, secret = await call.request.app[ENDPOINTS].rotate_secret(
        call.organization_id,
        call.endpoint_id,
        agent_id=call.agent,
        asked_by=call.principal.key_id,
        keep=_keep(call, 200),
    )
    return _shown_once(endpoint, secret, 200)


def _keep(call: Call, status: int) -> Keep:
    """Keep the answer with the idempotency key, sealed, by the transaction that makes the secret."""
    ticket, call.ticket = call.ticket, None

    async def keep(conn: AsyncConnection, endpoint: WebhookEndpoint, secret: SecretStr) -> None:
        if ticket is not None:
            answer = to_json(present_new_endpoint(endpoint, secret))
            await ticket.store(conn, status, call.request.app[ANSWER_VAULT].seal(call.organization_id, answer))

    return keep


def _shown_once(endpoint: WebhookEndpoint, secret: SecretStr, status: int) -> web.Response:
    answer = present_new_endpoint(endpoint, secret)
    return json_answer(answer, status=status, headers={"Cache-Control": "no-store"})
