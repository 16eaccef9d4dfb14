"""The deliveries of one leased endpoint, for the process that makes them: filled from the log, taken, settled.

An endpoint's row says how far into the log its events have become deliveries, so that nothing is written per endpoint
where events happen. Cursor and deliveries move in one transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.destinations.webhook_url import origin
from sessions.errors import ParleyError
from sessions.events.event_types import matching
from sessions.ids import format_id, new_uuid
from store.database.database import Database
from store.database.tables import webhook_attempts as attempts
from store.database.tables import webhook_deliveries as deliveries
from store.database.tables import webhook_endpoints as endpoints
from store.events.appending import append_event
from store.events.cursor import Cursor
from store.events.event import Event
from store.events.organization_events import EventPage, OrganizationEvents
from store.webhooks.endpoint import DisabledReason
from store.webhooks.endpoint_leases import MAX_PENDING, EndpointLease

_PAGE = 100
_TAKEN_AT_ONCE = 32
_LOST_CURSORS = frozenset({"cursor.expired", "cursor.unknown"})

_log = structlog.get_logger(__name__)

_WAITING = text(
    f"""
    SELECT count(*) FROM (
        SELECT FROM webhook_deliveries WHERE endpoint_id = :id AND state = 'pending' LIMIT {MAX_PENDING}
    ) waiting
    """
)


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery whose time has come.

    Attributes:
        position: of the event in its organization's log; None: a test, which is in none.
    """

    id: UUID
    event_id: UUID
    event_type: str
    position: int | None
    tries: int
    attempts_made: int
    queued_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refill:
    """What is to be sent now.

    Attributes:
        more: whether the log has more for it.
    """

    due: tuple[DueDelivery, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    Attributes:
        at: when it began.
        error: why it failed; None: it succeeded.
        retry_seconds: when to try again; None: not at all.
        disables: why the endpoint gets nothing more, if it doesn't.
    """

    at: datetime
    ms: int
    status: int | None
    error: str | None
    answer: str | None
    retry_seconds: float | None = None
    disables: DisabledReason | None = None


class DeliveryQueue:
    """The queues of all endpoints.

    Args:
        failing_days: an endpoint to which nothing was delivered for so long, though it was tried, is disabled.
    """

    def __init__(self, db: Database, events: OrganizationEvents, *, failing_days: float) -> None:
        self._db = db
        self._events = events
        self._failing = timedelta(days=failing_days)

    async def refill(self, lease: EndpointLease, in_flight: Collection[UUID]) -> Refill | None:
        """Make deliveries of what the log has, and take those that are due, 32 at most.

        Args:
            in_flight: deliveries that are being made and are left out.

        Returns:
            None when the lease is lost, or the endpoint disabled or deleted.
        """
        async with self._db.begin() as conn:
            endpoint = await _leased(conn, lease)
            if endpoint is None:
                return None
            room = MAX_PENDING - int((await conn.execute(_WAITING, {"id": lease.endpoint_id})).scalar_one())
        more = False
        if room > 0:
            more = await self._advance(lease, endpoint, min(room, _PAGE))
        async with self._db.begin() as conn:
            due = (
                select(deliveries)
                .where(
                    deliveries.c.endpoint_id == lease.endpoint_id,
                    deliveries.c.state == "pending",
                    deliveries.c.next_attempt_at <= func.clock_timestamp(),
                    deliveries.c.id.not_in(in_flight),
                )
                .order_by(deliveries.c.next_attempt_at, deliveries.c.position)
                .limit(_TAKEN_AT_ONCE)
            )
            rows = (await conn.execute(due)).mappings().all()
        taken = tuple(DueDelivery(**{name: row[name] for name in DueDelivery.__slots__}) for row in rows)
        return Refill(taken, more or len(taken) == _TAKEN_AT_ONCE)

    async def endpoint(self, lease: EndpointLease) -> RowMapping | None:
        """Its row as it is now; None when the lease is lost, or the endpoint disabled or deleted."""
        mine = (endpoints.c.id == lease.endpoint_id, endpoints.c.lease_owner == lease.id)
        async with self._db.begin() as conn:
            query = select(endpoints).where(*mine, endpoints.c.status == "enabled")
            return (await conn.execute(query)).mappings().one_or_none()

    async def event(self, organization_id: UUID, due: DueDelivery) -> Event | None:
        """The event as the log has it now; None when it is not kept any more."""
        assert due.position is not None
        event = await self._events.at(organization_id, due.position)
        return event if event is not None and event.id == due.event_id else None

    async def settle(self, lease: EndpointLease, due: DueDelivery, outcome: Outcome) -> None:
        """Write an attempt down, and what follows from it; harmless to repeat.

        Whoever has asked for the delivery again meanwhile gets it again.
        """
        async with self._db.begin() as conn:
            endpoint = await _lock(conn, lease.endpoint_id)
            if endpoint is None or not await _note(conn, due, outcome):
                return
            values: dict[str, Any] = {"failing_since": None}
            disables = outcome.disables
            if outcome.error is not None:
                tested = due.position is None
                since = endpoint["failing_since"]
                values = {} if tested or since is not None else {"failing_since": outcome.at}
                if since is not None and outcome.at - since >= self._failing:
                    disables = disables or "failing"
            if disables is not None and endpoint["status"] == "enabled":
                values |= {"status": "disabled", "disabled_reason": disables, "disabled_at": func.clock_timestamp()}
                await append_event(
                    conn,
                    endpoint["organization_id"],
                    "webhook_endpoint.disabled",
                    agent_id=endpoint["agent_id"],
                    facts={
                        "endpoint_id": format_id("whe", endpoint["id"]),
                        "url": origin(endpoint["url"]),
                        "reason": disables,
                    },
                )
                _log.warning("webhook.disabled", endpoint_id=format_id("whe", endpoint["id"]), reason=disables)
            if any(endpoint[name] != value for name, value in values.items()):
                await conn.execute(update(endpoints).where(endpoints.c.id == lease.endpoint_id).values(values))

    async def _advance(self, lease: EndpointLease, endpoint: RowMapping, limit: int) -> bool:
        """Make deliveries of the events behind the cursors; whether there are more."""
        more = False
        if endpoint["replaying_since"] is not None:
            more = await self._advance_replay(lease, endpoint, limit)
        page = await self._read(endpoint, Cursor.of(endpoint["cursor"]), endpoint["event_types"], limit)
        if page.cursor.position > endpoint["position"]:
            async with self._db.begin() as conn:
                if await _leased(conn, lease, cursor=endpoint["cursor"]) is None:
                    return False
                await _enqueue(conn, lease.endpoint_id, page.events, since=None)
                moved = {"cursor": page.cursor.value, "position": page.cursor.position}
                await conn.execute(update(endpoints).where(endpoints.c.id == lease.endpoint_id).values(moved))
        return more or page.has_more

    async def _advance_replay(self, lease: EndpointLease, endpoint: RowMapping, limit: int) -> bool:
        reached = endpoint["replay_cursor"]
        cursor = None if reached is None else Cursor.of(reached)
        page = await self._read(endpoint, cursor, endpoint["event_types"], limit, endpoint["replay_types"])
        again = [event for event in page.events if event.position <= endpoint["position"]]
        over = not page.has_more or page.cursor.position >= endpoint["position"]
        moved: dict[str, Any] = {"replay_cursor": page.cursor.value}
        if over:
            moved = {"replay_cursor": None, "replay_types": None, "replaying_since": None}
        async with self._db.begin() as conn:
            if await _leased(conn, lease, cursor=endpoint["cursor"]) is None:
                return False
            await _enqueue(conn, lease.endpoint_id, again, since=endpoint["replaying_since"])
            await conn.execute(update(endpoints).where(endpoints.c.id == lease.endpoint_id).values(moved))
        return not over

    async def _read(
        self,
        endpoint: RowMapping,
        cursor: Cursor | None,
        patterns: Collection[str],
        limit: int,
        narrower: Collection[str] = ("*",),
    ) -> EventPage:
        types = matching(patterns) & matching(narrower)
        organization_id, agent_id = endpoint["organization_id"], endpoint["agent_id"]
        try:
            return await self._events.after(organization_id, cursor, types=types, agent_id=agent_id, limit=limit)
        except ParleyError as error:
            if error.code not in _LOST_CURSORS:
                raise
            # The endpoint was disabled for longer than events are kept: it goes on with the oldest that there is.
            _log.warning("webhook.events_expired", endpoint_id=format_id("whe", endpoint["id"]), code=error.code)
            return await self._events.after(organization_id, None, types=types, agent_id=agent_id, limit=limit)


async def _leased(conn: AsyncConnection, lease: EndpointLease, cursor: UUID | None = None) -> RowMapping | None:
    """The endpoint's row, locked; None when the lease is lost, or its cursor isn't this one any more."""
    row = await _lock(conn, lease.endpoint_id)
    if row is None or row["lease_owner"] != lease.id or row["status"] != "enabled":
        return None
    return row if cursor is None or row["cursor"] == cursor else None


async def _lock(conn: AsyncConnection, endpoint_id: UUID) -> RowMapping | None:
    query = select(endpoints).where(endpoints.c.id == endpoint_id, endpoints.c.status != "deleted")
    return (await conn.execute(query.with_for_update(key_share=True))).mappings().one_or_none()


async def _enqueue(
    conn: AsyncConnection, endpoint_id: UUID, events: Collection[Event], *, since: datetime | None
) -> None:
    """Deliveries of these events; those that there were before `since` are made again, None: stay as they are."""
    if not events:
        return
    now: datetime = (await conn.execute(select(func.clock_timestamp()))).scalar_one()
    rows = [
        {
            "id": new_uuid(now),
            "endpoint_id": endpoint_id,
            "event_id": event.id,
            "position": event.position,
            "event_type": event.type,
            "session_id": event.session_id,
            "state": "pending",
            "created_at": now,
            "queued_at": now,
            "next_attempt_at": now,
        }
        for event in events
    ]
    new = insert(deliveries).values(rows)
    if since is None:
        await conn.execute(new.on_conflict_do_nothing(constraint="uq_webhook_deliveries_event"))
        return
    again = {"state": "pending", "tries": 0, "queued_at": now, "next_attempt_at": now, "finished_at": None}
    await conn.execute(
        new.on_conflict_do_update(
            constraint="uq_webhook_deliveries_event", set_=again, where=deliveries.c.queued_at < since
        )
    )


async def _note(conn: AsyncConnection, due: DueDelivery, outcome: Outcome) -> bool:
    """Write the attempt and the delivery's state; whether that was not done before."""
    mine = deliveries.c.id == due.id
    row = (await conn.execute(select(deliveries).where(mine).with_for_update())).mappings().one_or_none()
    if row is None or row["attempts_made"] != due.attempts_made:
        return False
    number = due.attempts_made + 1
    made = {
        "delivery_id": due.id,
        "number": number,
        "at": outcome.at,
        "ms": outcome.ms,
        "status": outcome.status,
        "error": outcome.error,
        "answer": outcome.answer,
    }
    await conn.execute(insert(attempts).values(made))
    values: dict[str, Any] = {"attempts_made": number}
    if row["queued_at"] == due.queued_at:
        values["tries"] = due.tries + 1
        if outcome.error is not None and outcome.retry_seconds is not None:
            values["next_attempt_at"] = func.clock_timestamp() + timedelta(seconds=outcome.retry_seconds)
        else:
            values["state"] = "succeeded" if outcome.error is None else "failed"
            values |= {"next_attempt_at": None, "finished_at": func.clock_timestamp()}
    await conn.execute(update(deliveries).where(mine).values(values))
    return True
