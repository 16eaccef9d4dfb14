"""Which process delivers to which endpoint: one at a time, for as long as there is something to deliver.

A lease is a column with an instant of the database's clock, so that nothing hangs on a connection and poolers don't
matter. Whoever dies leaves leases that run out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text

from store.database.database import Database

LEASE_SECONDS = 30.0
MAX_PENDING = 1000
"""Deliveries of one endpoint that wait; while there are so many, the rest of its events stays in the log."""

_AT_ONCE = 200

_FREE = "(e.leased_until IS NULL OR e.leased_until < clock_timestamp())"
_HAS_WORK = f"""
    (
        e.replaying_since IS NOT NULL
        OR EXISTS (SELECT FROM event_logs l
                   WHERE l.organization_id = e.organization_id AND l.last_position > e.position)
    ) AND (
        SELECT count(*) FROM (SELECT FROM webhook_deliveries d
                              WHERE d.endpoint_id = e.id AND d.state = 'pending' LIMIT {MAX_PENDING}) waiting
    ) < {MAX_PENDING}
    OR EXISTS (SELECT FROM webhook_deliveries d
               WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at <= clock_timestamp())
"""
TO_BE_DELIVERED = f"""
    FROM webhook_endpoints e WHERE e.status = 'enabled' AND {_FREE} AND (
        EXISTS (SELECT FROM event_inbox i WHERE i.organization_id = e.organization_id) OR ({_HAS_WORK}))
"""
"""Endpoints that something is to be sent to and that nobody delivers to, as a part of a query.

Events that wait for their position count."""

_FIND = text(
    f"""
    SELECT e.id, e.organization_id FROM webhook_endpoints e
    WHERE e.status = 'enabled' AND e.id <> ALL(CAST(:spared AS uuid[]))
        AND (CAST(:organizations AS uuid[]) IS NULL OR e.organization_id = ANY(CAST(:organizations AS uuid[])))
        AND ({_FREE} OR e.lease_owner = ANY(CAST(:leases AS uuid[]))) AND ({_HAS_WORK})
    ORDER BY ({_FREE}) DESC, row_number() OVER (PARTITION BY e.organization_id, {_FREE} ORDER BY random()), random()
    LIMIT :most
    """
)
_TAKE = text(
    f"""
    UPDATE webhook_endpoints SET lease_owner = CAST(:lease AS uuid),
        leased_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = (
        SELECT e.id FROM webhook_endpoints e
        WHERE e.id = :id AND e.status = 'enabled' AND {_FREE} FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING organization_id
    """
)
_RENEW = text(
    """
    UPDATE webhook_endpoints SET leased_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE lease_owner = ANY(CAST(:leases AS uuid[])) AND status = 'enabled' RETURNING lease_owner
    """
)
_RELEASE = text(
    "UPDATE webhook_endpoints SET lease_owner = NULL, leased_until = NULL"
    " WHERE lease_owner = ANY(CAST(:leases AS uuid[]))"
)


@dataclass(frozen=True, slots=True)
class EndpointLease:
    """The right to deliver to an endpoint, until it runs out."""

    id: UUID
    endpoint_id: UUID
    organization_id: UUID


class EndpointLeases:
    """Finds endpoints that something is to be sent to, and leases them."""

    def __init__(self, db: Database, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._db = db
        self.lease_seconds = lease_seconds

    async def find(
        self,
        organizations: Collection[UUID] | None,
        held: Sequence[EndpointLease],
        spared: Collection[UUID] = (),
    ) -> dict[UUID, UUID]:
        """Endpoints with something to do, and whose they are, 200 at most: free ones, then those that are held.

        Organizations take turns, and so do the endpoints of each.

        Args:
            organizations: only theirs; None: all.
            spared: endpoints that are left alone.
        """
        asked = {
            "organizations": None if organizations is None else list(organizations),
            "leases": [lease.id for lease in held],
            "spared": list(spared),
            "most": _AT_ONCE,
        }
        async with self._db.begin() as conn:
            return {row.id: row.organization_id for row in await conn.execute(_FIND, asked)}

    async def take(self, endpoint_id: UUID) -> EndpointLease | None:
        """A lease of the endpoint; None if another process has one, or there is nothing to deliver to any more."""
        lease = uuid4()
        asked = {"lease": lease, "id": endpoint_id, "seconds": self.lease_seconds}
        async with self._db.begin() as conn:
            row = (await conn.execute(_TAKE, asked)).one_or_none()
        return None if row is None else EndpointLease(lease, endpoint_id, row.organization_id)

    async def renew(self, held: Sequence[EndpointLease]) -> frozenset[UUID]:
        """The ids of those leases that go on; the others have run out, or their endpoint was disabled or deleted."""
        asked = {"leases": [lease.id for lease in held], "seconds": self.lease_seconds}
        async with self._db.begin() as conn:
            return frozenset(row.lease_owner for row in await conn.execute(_RENEW, asked))

    async def release(self, held: Sequence[EndpointLease]) -> None:
        """Give them back."""
        async with self._db.begin() as conn:
            await conn.execute(_RELEASE, {"leases": [lease.id for lease in held]})
