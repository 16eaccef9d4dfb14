"""Deliveries as an organization sees them and asks for them: listed, made again, tested."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import ParleyError
from sessions.ids import new_uuid
from store.database.database import Database
from store.database.notify.channels import WEBHOOK_CHANNEL, notify
from store.database.tables import webhook_attempts as attempts
from store.database.tables import webhook_deliveries as deliveries
from store.database.tables import webhook_endpoints as endpoints
from store.events.cursor import Cursor
from store.webhooks.endpoint import (
    TEST_TYPE,
    Attempt,
    Delivery,
    DeliveryState,
    WebhookEndpoint,
    to_delivery,
    to_endpoint,
)
from store.webhooks.endpoints import lock_endpoint

SHOWN_ATTEMPTS = 20
"""The newest attempts that a delivery is shown with."""


class WebhookDeliveries:
    """The deliveries of all endpoints. Where a method takes `agent_id`, only those to that agent's are found."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(
        self,
        organization_id: UUID,
        endpoint_id: UUID,
        *,
        agent_id: str | None,
        state: DeliveryState | None,
        limit: int,
        starting_after: UUID | None,
    ) -> tuple[list[Delivery], bool]:
        """A page of deliveries with their attempts, newest first, and whether there is more.

        Raises:
            ParleyError: `not_found`.
        """
        query = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        if starting_after is not None:
            query = query.where(deliveries.c.id < starting_after)
        async with self._db.begin() as conn:
            await lock_endpoint(conn, organization_id, endpoint_id, agent_id, lock=False)
            rows = (await conn.execute(query.order_by(deliveries.c.id.desc()).limit(limit + 1))).mappings().all()
            made = await _attempts(conn, [row["id"] for row in rows[:limit]])
        return [to_delivery(row, made[row["id"]]) for row in rows[:limit]], len(rows) > limit

    async def get(self, organization_id: UUID, delivery_id: UUID, *, agent_id: str | None) -> Delivery:
        """One delivery with its attempts.

        Raises:
            ParleyError: `not_found`.
        """
        async with self._db.begin() as conn:
            return await _read(conn, organization_id, delivery_id, agent_id)

    async def test(self, organization_id: UUID, endpoint_id: UUID, *, agent_id: str | None) -> Delivery:
        """Ask for a test event to be sent, once and at once.

        Raises:
            ParleyError: `not_found`; `webhook.disabled`.
        """
        async with self._db.begin() as conn:
            row = await lock_endpoint(conn, organization_id, endpoint_id, agent_id)
            _require_enabled(row["status"])
            now = (await conn.execute(select(func.clock_timestamp()))).scalar_one()
            values = {
                "id": new_uuid(now),
                "endpoint_id": endpoint_id,
                "event_id": uuid4(),
                "event_type": TEST_TYPE,
                "state": "pending",
                "created_at": now,
                "queued_at": now,
                "next_attempt_at": now,
            }
            made = (await conn.execute(insert(deliveries).values(values).returning(deliveries))).mappings().one()
            await notify(conn, WEBHOOK_CHANNEL)
        return to_delivery(made)

    async def redeliver(self, organization_id: UUID, delivery_id: UUID, *, agent_id: str | None) -> Delivery:
        """Send it again, at once, and by the whole schedule if that fails.

        Raises:
            ParleyError: `not_found`; `webhook.disabled`.
        """
        async with self._db.begin() as conn:
            delivery = await _read(conn, organization_id, delivery_id, agent_id)
            row = await lock_endpoint(conn, organization_id, delivery.endpoint_id, agent_id)
            _require_enabled(row["status"])
            again = {
                "state": "pending",
                "tries": 0,
                "queued_at": func.clock_timestamp(),
                "next_attempt_at": func.clock_timestamp(),
                "finished_at": None,
            }
            query = update(deliveries).where(deliveries.c.id == delivery_id).values(again).returning(deliveries)
            changed = (await conn.execute(query)).mappings().one()
            await notify(conn, WEBHOOK_CHANNEL)
        return to_delivery(changed, delivery.attempts)

    async def replay(
        self,
        organization_id: UUID,
        endpoint_id: UUID,
        after: Cursor | None,
        event_types: Sequence[str],
        *,
        agent_id: str | None,
    ) -> WebhookEndpoint:
        """Send again what happened behind a cursor, as far as the endpoint has got; it goes on with what is new.

        Args:
            after: None: from the oldest event that is kept.
            event_types: names or globs; what the endpoint doesn't want is left out all the same.

        Raises:
            ParleyError: `not_found`; `webhook.disabled`; `webhook.replaying`.
        """
        async with self._db.begin() as conn:
            row = await lock_endpoint(conn, organization_id, endpoint_id, agent_id)
            _require_enabled(row["status"])
            if row["replaying_since"] is not None:
                raise ParleyError("webhook.replaying", "a replay to this webhook endpoint is under way")
            asked = {
                "replay_cursor": None if after is None else after.value,
                "replay_types": list(event_types),
                "replaying_since": func.clock_timestamp(),
            }
            query = update(endpoints).where(endpoints.c.id == endpoint_id).values(asked).returning(endpoints)
            endpoint = to_endpoint((await conn.execute(query)).mappings().one())
            await notify(conn, WEBHOOK_CHANNEL)
        return endpoint


async def _read(conn: AsyncConnection, organization_id: UUID, delivery_id: UUID, agent_id: str | None) -> Delivery:
    query = (
        select(deliveries)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(
            deliveries.c.id == delivery_id,
            endpoints.c.organization_id == organization_id,
            endpoints.c.status != "deleted",
            *([] if agent_id is None else [endpoints.c.agent_id == agent_id]),
        )
    )
    row = (await conn.execute(query)).mappings().one_or_none()
    if row is None:
        raise ParleyError("not_found", "there is no such delivery")
    return to_delivery(row, (await _attempts(conn, [delivery_id]))[delivery_id])


async def _attempts(conn: AsyncConnection, ids: Sequence[UUID]) -> defaultdict[UUID, tuple[Attempt, ...]]:
    """The newest attempts of each, oldest first."""
    place = func.row_number().over(partition_by=attempts.c.delivery_id, order_by=attempts.c.number.desc())
    ranked = select(attempts, place.label("place")).where(attempts.c.delivery_id.in_(ids)).subquery()
    query = select(ranked).where(ranked.c.place <= SHOWN_ATTEMPTS).order_by(ranked.c.delivery_id, ranked.c.number)
    found: defaultdict[UUID, tuple[Attempt, ...]] = defaultdict(tuple)
    for row in (await conn.execute(query)).mappings():
        found[row["delivery_id"]] += (Attempt(**{name: row[name] for name in Attempt.__slots__}),)
    return found


def _require_enabled(status: str) -> None:
    if status != "enabled":
        raise ParleyError("webhook.disabled", "the webhook endpoint is disabled")
