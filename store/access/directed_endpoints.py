"""The webhook endpoints whose events go where a key says: they stop with it when it has leaked."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.destinations.webhook_url import origin
from sessions.ids import format_id
from store.database.tables import webhook_endpoints as endpoints
from store.events.appending import append_event


async def disable_directed(conn: AsyncConnection, organization_id: UUID, keys: Sequence[UUID]) -> None:
    """Disable the endpoints that one of these keys made, or whose URL or secret it set last; each is an event."""
    now = func.clock_timestamp()
    query = (
        update(endpoints)
        .where(
            endpoints.c.organization_id == organization_id,
            endpoints.c.directed_by.in_(keys),
            endpoints.c.status == "enabled",
        )
        .values(status="disabled", disabled_reason="key_revoked", disabled_at=now, failing_since=None, updated_at=now)
        .returning(endpoints.c.id, endpoints.c.agent_id, endpoints.c.url)
    )
    for row in (await conn.execute(query)).all():
        facts = {"endpoint_id": format_id("whe", row.id), "url": origin(row.url), "reason": "key_revoked"}
        await append_event(conn, organization_id, "webhook_endpoint.disabled", agent_id=row.agent_id, facts=facts)
