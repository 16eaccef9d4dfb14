"""Webhook endpoints as their organization asks for them: made, listed, changed, deleted."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import ParleyError
from sessions.ids import new_uuid
from store.access.asking_key import take_turn
from store.access.vault import TokenVault
from store.database.database import Database
from store.database.notify.channels import WEBHOOK_CHANNEL, notify
from store.database.tables import webhook_endpoints as endpoints
from store.events.organization_events import OrganizationEvents
from store.webhooks.endpoint import WebhookEndpoint, to_endpoint
from store.webhooks.signing_secrets import SigningSecrets, new_signing_secret

MAX_ENDPOINTS = 100
"""Per organization."""

OLD_SECRET_HOURS = 24

Keep = Callable[[AsyncConnection, WebhookEndpoint, SecretStr], Awaitable[None]]


class WebhookEndpoints:
    """The endpoints of all organizations. Where a method takes `agent_id`, only that agent's are found."""

    def __init__(self, db: Database, events: OrganizationEvents, vault: TokenVault) -> None:
        self._db = db
        self._events = events
        self._secrets = SigningSecrets(vault)

    async def create(
        self,
        organization_id: UUID,
        *,
        url: str,
        event_types: Sequence[str],
        description: str | None,
        agent_id: str | None,
        reads_content: bool,
        asked_by: UUID | None = None,
        keep: Keep | None = None,
    ) -> tuple[WebhookEndpoint, SecretStr]:
        """Make an endpoint that gets what happens from now on.

        Args:
            asked_by: the key that asks for it, valid until it is made; None: the operator does.
            keep: called in the same transaction, for example to keep the answer of an Idempotency-Key.

        Returns:
            The endpoint and its secret, which can't be read again.

        Raises:
            ParleyError: `webhook.too_many`; `key.invalid`: the asking key was revoked meanwhile.
        """
        cursor = await self._events.newest_cursor(organization_id)
        secret = new_signing_secret()
        async with self._db.begin() as conn:
            await take_turn(conn, organization_id, asked_by)
            mine = select(func.count()).where(endpoints.c.organization_id == organization_id, _EXISTS)
            if (await conn.execute(mine)).scalar_one() >= MAX_ENDPOINTS:
                raise ParleyError("webhook.too_many", f"an organization has at most {MAX_ENDPOINTS} webhook endpoints")
            now: datetime = (await conn.execute(select(func.clock_timestamp()))).scalar_one()
            endpoint_id = new_uuid(now)
            values = {
                "id": endpoint_id,
                "organization_id": organization_id,
                "agent_id": agent_id,
                "url": url,
                "event_types": list(event_types),
                "description": description,
                "reads_content": reads_content,
                "status": "enabled",
                "sealed_secret": self._secrets.seal(endpoint_id, secret),
                "directed_by": asked_by,
                "cursor": cursor.value,
                "position": cursor.position,
                "created_at": now,
                "updated_at": now,
            }
            row = (await conn.execute(insert(endpoints).values(values).returning(endpoints))).mappings().one()
            endpoint = to_endpoint(row)
            await notify(conn, WEBHOOK_CHANNEL)
            if keep is not None:
                await keep(conn, endpoint, secret)
        return endpoint, secret

    async def page(
        self, organization_id: UUID, *, agent_id: str | None, limit: int, starting_after: UUID | None
    ) -> tuple[list[WebhookEndpoint], bool]:
        """A page of endpoints, newest first, and whether there is more."""
        query = select(endpoints).where(*_visible(organization_id, agent_id))
        if starting_after is not None:
            query = query.where(endpoints.c.id < starting_after)
        async with self._db.begin() as conn:
            rows = (await conn.execute(query.order_by(endpoints.c.id.desc()).limit(limit + 1))).mappings().all()
        return [to_endpoint(row) for row in rows[:limit]], len(rows) > limit

    async def get(self, organization_id: UUID, endpoint_id: UUID, *, agent_id: str | None) -> WebhookEndpoint:
        """One endpoint.

        Raises:
            ParleyError: `not_found`.
        """
        async with self._db.begin() as conn:
            return to_endpoint(await lock_endpoint(conn, organization_id, endpoint_id, agent_id, lock=False))

    async def update(
        self,
        organization_id: UUID,
        endpoint_id: UUID,
        changes: Mapping[str, Any],
        *,
        agent_id: str | None,
        asked_by: UUID | None = None,
    ) -> WebhookEndpoint:
        """Change `url`, `event_types`, `description` or `status`. One that is enabled again goes on where it stopped.

        Args:
            asked_by: as for `create`.

        Raises:
            ParleyError: `not_found`; `key.invalid` as for `create`.
        """
        async with self._db.begin() as conn:
            await take_turn(conn, organization_id, asked_by)
            row = await lock_endpoint(conn, organization_id, endpoint_id, agent_id)
            values = {**changes, "updated_at": func.clock_timestamp()}
            if "url" in changes:
                values["directed_by"] = asked_by
            if changes.get("status", row["status"]) != row["status"]:
                disabling = changes["status"] == "disabled"
                values["disabled_at"] = func.clock_timestamp() if disabling else None
                values["disabled_reason"] = "requested" if disabling else None
                values["failing_since"] = None
            changed = update(endpoints).where(endpoints.c.id == endpoint_id).values(values).returning(endpoints)
            endpoint = to_endpoint((await conn.execute(changed)).mappings().one())
            await notify(conn, WEBHOOK_CHANNEL)
        return endpoint

    async def delete(self, organization_id: UUID, endpoint_id: UUID, *, agent_id: str | None) -> None:
        """Nothing is sent to it any more, once the request that is under way is over; its deliveries go in time.

        Raises:
            ParleyError: `not_found`.
        """
        async with self._db.begin() as conn:
            await lock_endpoint(conn, organization_id, endpoint_id, agent_id)
            gone = {"status": "deleted", "disabled_at": None, "disabled_reason": None, "sealed_secret": b""}
            gone |= {"sealed_old_secret": None, "old_secret_until": None}
            await conn.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(gone))

    async def rotate_secret(
        self,
        organization_id: UUID,
        endpoint_id: UUID,
        *,
        agent_id: str | None,
        asked_by: UUID | None = None,
        keep: Keep | None = None,
    ) -> tuple[WebhookEndpoint, SecretStr]:
        """Make a new secret; for 24 hours the old one signs, too. The one before the old one signs no more.

        An old one that no present secret key opens is gone: the new one signs alone.

        Args:
            asked_by, keep: as for `create`.

        Raises:
            ParleyError: `not_found`; `key.invalid` as for `create`.
        """
        secret = new_signing_secret()
        async with self._db.begin() as conn:
            await take_turn(conn, organization_id, asked_by)
            row = await lock_endpoint(conn, organization_id, endpoint_id, agent_id)
            old = self._secrets.seal_old(endpoint_id, row["sealed_secret"])
            values = {
                "sealed_secret": self._secrets.seal(endpoint_id, secret),
                "sealed_old_secret": old,
                "directed_by": asked_by,
                "old_secret_until": old and func.clock_timestamp() + timedelta(hours=OLD_SECRET_HOURS),
                "updated_at": func.clock_timestamp(),
            }
            changed = update(endpoints).where(endpoints.c.id == endpoint_id).values(values).returning(endpoints)
            endpoint = to_endpoint((await conn.execute(changed)).mappings().one())
            if keep is not None:
                await keep(conn, endpoint, secret)
        return endpoint, secret


_EXISTS = endpoints.c.status != "deleted"


async def lock_endpoint(
    conn: AsyncConnection, organization_id: UUID, endpoint_id: UUID, agent_id: str | None, *, lock: bool = True
) -> RowMapping:
    """The endpoint's row, locked by this transaction unless told otherwise.

    Raises:
        ParleyError: `not_found`.
    """
    query = select(endpoints).where(endpoints.c.id == endpoint_id, *_visible(organization_id, agent_id))
    row = (await conn.execute(query.with_for_update(key_share=True) if lock else query)).mappings().one_or_none()
    if row is None:
        raise ParleyError("not_found", "there is no such webhook endpoint")
    return row


def _visible(organization_id: UUID, agent_id: str | None) -> list[ColumnElement[bool]]:
    conditions = [endpoints.c.organization_id == organization_id, _EXISTS]
    return conditions if agent_id is None else [*conditions, endpoints.c.agent_id == agent_id]
