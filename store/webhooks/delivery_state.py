"""How webhooks are doing, over all organizations, for whoever runs the installation."""

from dataclasses import dataclass

from sqlalchemy import text

from store.database.database import Database

# Of each enabled endpoint the first entries of two indexes, and one event of the log. What a delivery waits for by the
# schedule of retries is not late.
_STATE = text(
    """
    SELECT count(*) FILTER (WHERE e.disabled_reason = 'gone') AS gone,
        count(*) FILTER (WHERE e.disabled_reason = 'failing') AS failing,
        coalesce(greatest(extract(epoch FROM clock_timestamp() - min(due.at)), 0), 0) AS overdue_seconds,
        coalesce(greatest(extract(epoch FROM clock_timestamp() - min(oldest.at)), 0), 0) AS oldest_seconds
    FROM webhook_endpoints e
    LEFT JOIN LATERAL (
        SELECT least(
            (SELECT next_attempt_at FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.state = 'pending'
             ORDER BY next_attempt_at LIMIT 1),
            (SELECT recorded_at FROM events v
             WHERE v.organization_id = e.organization_id AND v.position > e.position ORDER BY v.position LIMIT 1)
        ) AS at
    ) due ON e.status = 'enabled'
    LEFT JOIN LATERAL (
        SELECT least(
            (SELECT queued_at FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.state = 'pending'
             ORDER BY id LIMIT 1),
            due.at
        ) AS at
    ) oldest ON e.status = 'enabled'
    WHERE e.status <> 'deleted'
    """
)


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """All endpoints together.

    Attributes:
        gone, failing: endpoints that were disabled because they answered 410, or failed for days.
        overdue_seconds: for how long a delivery whose time has come was not attempted; 0: none waits.
        oldest_seconds: since the oldest delivery was queued that has not succeeded, nor failed for good.
    """

    gone: int = 0
    failing: int = 0
    overdue_seconds: float = 0.0
    oldest_seconds: float = 0.0


async def delivery_state(db: Database) -> DeliveryState:
    """As it is now."""
    async with db.begin() as conn:
        row = (await conn.execute(_STATE)).one()
    return DeliveryState(row.gone, row.failing, float(row.overdue_seconds), float(row.oldest_seconds))
