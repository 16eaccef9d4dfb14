"""Retention of events: the oldest of each log go, in their order, and the log remembers through where."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LOGS_AT_ONCE = 20
EXPIRED_AT_ONCE = 500  # per log

# A log's oldest event is the first of its primary key, so nothing else is read where nothing is due.
_EXPIRE = text(
    f"""
    WITH due AS (
        SELECT l.organization_id FROM event_logs l CROSS JOIN LATERAL (
            SELECT recorded_at FROM events WHERE organization_id = l.organization_id ORDER BY position LIMIT 1
        ) oldest WHERE oldest.recorded_at < statement_timestamp() - make_interval(days => :days)
        ORDER BY oldest.recorded_at LIMIT {_LOGS_AT_ONCE}
    ), old AS (
        SELECT due.organization_id, max(e.position) AS through FROM due CROSS JOIN LATERAL (
            SELECT position, recorded_at FROM events
            WHERE organization_id = due.organization_id ORDER BY position LIMIT {EXPIRED_AT_ONCE}
        ) e WHERE e.recorded_at < statement_timestamp() - make_interval(days => :days)
        GROUP BY due.organization_id
    ), remembered AS (
        UPDATE event_logs l SET expired_through = old.through FROM old WHERE l.organization_id = old.organization_id
    )
    DELETE FROM events e USING old WHERE e.organization_id = old.organization_id AND e.position <= old.through
    """
)


async def expire_events(conn: AsyncConnection, days: int) -> int:
    """Remove events that got their position more than `days` ago; how many. More may be due when it is not 0."""
    return (await conn.execute(_EXPIRE, {"days": days})).rowcount
