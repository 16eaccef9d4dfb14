"""Sums of the bill over a period, from the ledger alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.billing.billing_period import Period, days_of
from store.database.database import Database
from store.usage.ledger import TAIL_SECONDS

GroupBy = Literal["day", "quality", "agent_id", "external_customer_id"]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over rows.

    Attributes:
        value: what the rows of a group share; None for all rows, and for those without a value.
        events: the number of rows.
    """

    value: str | None
    milliseconds: int
    credits: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Sums of a period.

    Attributes:
        as_of: rows recorded before this time are in; 30 s before now, or the end of the period.
        complete: the period lies before `as_of`, so that nothing will be added to it any more.
        groups: by value, those without one last; empty unless asked for.
        has_more: there are groups after the last one.
    """

    period: Period
    as_of: datetime
    complete: bool
    totals: Totals
    groups: list[Totals]
    has_more: bool


def _report(value: str) -> str:
    return f"""
        WITH grouped AS MATERIALIZED (
            SELECT {value} AS value, sum(CASE kind WHEN 'credit' THEN from_ms - to_ms ELSE to_ms - from_ms END)::bigint
                       AS milliseconds, sum(credits) AS credits,
                   count(*) AS events
            FROM usage_events
            WHERE organization_id = :organization_id AND recorded_at >= :start AND recorded_at < :edge
              AND (CAST(:agent_id AS text) IS NULL OR agent_id = :agent_id)
            GROUP BY 1
        )
        (SELECT NULL AS value, coalesce(sum(milliseconds), 0)::bigint AS milliseconds,
                coalesce(sum(credits), 0.000) AS credits, coalesce(sum(events), 0)::bigint AS events FROM grouped)
        UNION ALL
        (SELECT value, milliseconds, credits, events FROM grouped
         WHERE CAST(:after AS text) IS NULL OR value COLLATE "C" > :after OR value IS NULL
         ORDER BY value COLLATE "C" NULLS LAST LIMIT :limit)
    """


# The midnights come with the request: the database's list of time zones may be another one than ours.
_DAY = "(CAST(:days AS text[]))[width_bucket(recorded_at, CAST(:midnights AS timestamptz[]))]"

_VALUES: dict[GroupBy | None, str] = {
    None: "NULL::text",
    "day": _DAY,
    "quality": "quality",
    "agent_id": "agent_id",
    "external_customer_id": "external_customer_id",
}
_REPORTS = {group_by: text(_report(value)) for group_by, value in _VALUES.items()}


class UsageTotals:
    """Adds up the bill. A row belongs to the period in which it was recorded."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def report(
        self,
        organization_id: UUID,
        period_at: Callable[[datetime], Period],
        *,
        agent_id: str | None = None,
        group_by: GroupBy | None = None,
        zone: tzinfo = UTC,
        after: str | None = None,
        limit: int = 0,
    ) -> UsageReport:
        """The sums of a period, and a page of its groups.

        Args:
            period_at: the period, given the database's time.
            agent_id: only rows of this agent's sessions.
            zone: where days begin at midnight.
            after: the value of the last group of the page before.
            limit: groups on the page.
        """
        async with self._db.begin() as conn:
            period, edge = await _settled_part(conn, period_at)
            values: dict[str, Any] = {
                "organization_id": organization_id,
                "start": period.start,
                "edge": edge,
                "agent_id": agent_id,
                "after": after,
                "limit": limit + 1 if group_by else 0,
            }
            if group_by == "day":
                midnights = days_of(period, zone)
                values |= {"days": [day.isoformat() for day in midnights], "midnights": list(midnights.values())}
            whole, *groups = [Totals(**row._mapping) for row in await conn.execute(_REPORTS[group_by], values)]
        return UsageReport(
            period=period,
            as_of=edge,
            complete=period.end <= edge,
            totals=whole,
            groups=groups[:limit],
            has_more=len(groups) > limit,
        )

    async def settled_part(self, period_at: Callable[[datetime], Period]) -> tuple[Period, datetime]:
        """The period, given the database's time, and up to when nothing is added to it any more."""
        async with self._db.begin() as conn:
            return await _settled_part(conn, period_at)


async def _settled_part(conn: AsyncConnection, period_at: Callable[[datetime], Period]) -> tuple[Period, datetime]:
    now: datetime = (await conn.execute(select(func.now()))).scalar_one()
    period = period_at(now)
    return period, min(period.end, now - timedelta(seconds=TAIL_SECONDS))
