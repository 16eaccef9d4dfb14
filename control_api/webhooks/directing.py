"""Who may say where a webhook endpoint's events go, and have them sent: whoever may read them."""

from uuid import UUID

from control_api.http.requests.authentication import require_scope
from control_api.http.requests.call import Call
from control_api.webhooks.stores import DELIVERIES, ENDPOINTS


async def require_reader(call: Call, endpoint_id: UUID) -> None:
    """Let the call pass if its key may read what the endpoint gets: with content `sessions:read`, else the metadata.

    Raises:
        ParleyError: `not_found`; `scope.missing`.
    """
    endpoint = await call.request.app[ENDPOINTS].get(call.organization_id, endpoint_id, agent_id=call.agent)
    require_scope(call.principal, "sessions:read" if endpoint.reads_content else "sessions:read_metadata")


async def require_reader_of_delivery(call: Call) -> None:
    """The same for the endpoint of the delivery in the path."""
    delivery = await call.request.app[DELIVERIES].get(call.organization_id, call.delivery_id, agent_id=call.agent)
    await require_reader(call, delivery.endpoint_id)
