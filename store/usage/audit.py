"""Reading bills to check them (`sessions.billing.checking`): which ones a period touches, and each as a whole."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.billing.billing_period import Period
from sessions.billing.checking.bill_check import BillCheck, Counter
from sessions.billing.crediting import Credit, credits_of_failure, credits_of_recording
from sessions.lifecycle.lifecycle import TERMINAL
from store.database.database import Database

_BILLS_AT_A_TIME = 200
_ROWS_AT_A_TIME = 500
_STRETCH_ROWS = 5000
_INSTANT = timedelta(microseconds=1)  # PostgreSQL tells no two times apart that are closer

# What touches a bill: a row of it, and the end of a session that ran, whose final row may be missing.
_ROWS = "FROM usage_events WHERE organization_id = :organization_id"
_ENDS = "FROM sessions WHERE organization_id = :organization_id AND kind = 'voice' AND started_at IS NOT NULL"


def _reach(of_agent: str) -> TextClause:
    """The time before which so many rows and ends lie, by the indexes that are in that order."""
    return text(
        f"""
        SELECT least(
            (SELECT recorded_at {_ROWS} {of_agent} AND recorded_at >= :since AND recorded_at < :end
             ORDER BY recorded_at OFFSET :rows LIMIT 1),
            (SELECT finished_at {_ENDS} AND finished_at >= :since AND finished_at < :end
             ORDER BY finished_at OFFSET :rows LIMIT 1))
        """
    )


def _touched(of_agent: str) -> TextClause:
    """Bills that are touched in a stretch, and in none of the period before it. The subqueries stay subqueries."""
    return text(
        f"""
        WITH touched AS MATERIALIZED (
            SELECT id, min(at) AS at FROM (
                SELECT session_id AS id, recorded_at AS at {_ROWS} {of_agent}
                   AND recorded_at >= :since AND recorded_at < :until
                UNION ALL
                SELECT id, finished_at {_ENDS} {of_agent} AND finished_at >= :since AND finished_at < :until
            ) AS touches GROUP BY id
        )
        SELECT id, at FROM touched
        WHERE (SELECT true {_ROWS} {of_agent} AND session_id = touched.id
               AND recorded_at >= :start AND recorded_at < :since LIMIT 1) IS NULL
          AND (SELECT true {_ENDS} AND id = touched.id
               AND finished_at >= :start AND finished_at < :since LIMIT 1) IS NULL
        ORDER BY at, id
        """
    )


_OF_AGENT = "AND agent_id = :agent_id"
_REACH = {False: _reach(""), True: _reach(_OF_AGENT)}
_TOUCHED = {False: _touched(""), True: _touched(_OF_AGENT)}
_OPEN_BILLS = text(
    """
    DECLARE bills NO SCROLL CURSOR FOR
    SELECT wanted.id AS session_id, sessions.status, sessions.multiplier AS session_multiplier,
           CASE WHEN sessions.id IS NOT NULL
                THEN (SELECT coalesce(sum(billable_ms), 0)::bigint FROM runs WHERE runs.session_id = wanted.id)
           END AS billable_ms,
           sessions.started_at IS NOT NULL AS ran, sessions.recording_state, sessions.recording_reason,
           recordings.duration_ms,
           CASE WHEN coalesce(place, 1) = 1 THEN recordings.gaps END AS gaps,
           CASE WHEN coalesce(place, 1) = 1 THEN recordings.absences END AS absences,
           rows.kind, rows.code, rows.epoch, rows.from_ms, rows.to_ms, rows.quality, rows.multiplier, rows.credits,
           rows.agent_id, rows.external_customer_id, rows.recorded_at
    FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
    LEFT JOIN sessions ON sessions.id = wanted.id AND sessions.organization_id = :organization_id
    LEFT JOIN recordings ON recordings.session_id = sessions.id
    LEFT JOIN LATERAL (
        SELECT *, row_number() OVER (ORDER BY kind = 'credit', from_ms, to_ms, recorded_at) AS place FROM usage_events
        WHERE session_id = wanted.id AND organization_id = :organization_id
    ) AS rows ON true
    ORDER BY wanted.id, coalesce(place, 1)
    """
)
_NEXT_ROWS = text(f"FETCH {_ROWS_AT_A_TIME} FROM bills")
_CLOSE_BILLS = text("CLOSE bills")
_OWNER = text(
    """
    SELECT organization_id FROM sessions WHERE id = :id
    UNION SELECT organization_id FROM usage_events WHERE session_id = :id LIMIT 1
    """
)

_EMPTY = text("SELECT NOT EXISTS (SELECT FROM usage_events)")


@dataclass(frozen=True, slots=True)
class AuditedRow:
    """The columns of a bill's row that are checked."""

    kind: str
    code: str | None
    epoch: int
    from_ms: int
    to_ms: int
    quality: str
    multiplier: Decimal
    credits: Decimal
    agent_id: str
    external_customer_id: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a period, and the bills that the period touches there first, oldest first.

    Attributes:
        until: where it ends; it begins where the one before ended.
        bills: session and time of each.
    """

    until: datetime
    bills: list[tuple[UUID, datetime]]


class LedgerAudit:
    """Reads bills; `sessions.billing.checking.bill_check` checks them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def organization_of(self, session_id: UUID) -> UUID | None:
        """The organization that has or had the session; None when no session and no bill has this id."""
        async with self._db.begin() as conn:
            found: UUID | None = (await conn.execute(_OWNER, {"id": session_id})).scalar_one_or_none()
        return found

    async def is_empty(self) -> bool:
        """Whether no session of any organization was ever billed."""
        async with self._db.begin() as conn:
            return bool((await conn.execute(_EMPTY)).scalar_one())

    async def stretch(
        self,
        organization_id: UUID,
        period: Period,
        since: datetime,
        *,
        agent_id: str | None = None,
        rows: int = _STRETCH_ROWS,
    ) -> Stretch:
        """The part of the period that begins at `since`. Each bill of a period is in one of its stretches.

        Args:
            agent_id: only this agent's bills.
            rows: of the bill, and ends of sessions, that are looked at: as many of each, or a few more that were
                recorded in the same microsecond.
        """
        values: dict[str, Any] = {
            "organization_id": organization_id,
            "start": period.start,
            "since": since,
            "end": period.end,
            "rows": rows,
            "agent_id": agent_id,
        }
        of_agent = agent_id is not None
        async with self._db.begin() as conn:
            reached: datetime | None = (await conn.execute(_REACH[of_agent], values)).scalar_one()
            until = period.end if reached is None else max(reached, since + _INSTANT)
            found = await conn.execute(_TOUCHED[of_agent], {**values, "until": until})
            return Stretch(until, [(row.id, row.at) for row in found])

    async def check(self, organization_id: UUID, session_id: UUID) -> BillCheck:
        """One session's bill."""
        [(_, check)] = [found async for found in self.checks(organization_id, [session_id])]
        return check

    async def checks(self, organization_id: UUID, ids: Sequence[UUID]) -> AsyncIterator[tuple[UUID, BillCheck]]:
        """These sessions' bills, in any order, checked while they are read.

        However many rows they have, some hundred are held at a time. Rows and counter are of one snapshot.
        """
        for first in range(0, len(ids), _BILLS_AT_A_TIME):
            values = {"organization_id": organization_id, "ids": list(ids[first : first + _BILLS_AT_A_TIME])}
            async with self._db.begin() as conn:
                await conn.execute(_OPEN_BILLS, values)
                checks = await _checked(conn)
                await conn.execute(_CLOSE_BILLS)
            for found in checks.items():
                yield found


async def _checked(conn: AsyncConnection) -> dict[UUID, BillCheck]:
    checks: dict[UUID, BillCheck] = {}
    while rows := (await conn.execute(_NEXT_ROWS)).all():
        for row in rows:
            if row.session_id not in checks:
                checks[row.session_id] = BillCheck(_counter(row))
            if row.kind is not None:
                checks[row.session_id].read(_audited(row))
    return checks


def _audited(row: Any) -> AuditedRow:
    return AuditedRow(*(getattr(row, name) for name in AuditedRow.__dataclass_fields__))


def _counter(head: Any) -> Counter:
    erased = head.status is None
    return Counter(
        settled=erased or (head.status in TERMINAL and head.ran),
        billable_ms=head.billable_ms,
        multiplier=head.session_multiplier,
        given_back=_given_back(head),
    )


def _given_back(row: Any) -> list[Credit] | None:
    """What the session's bill must give back, by what its recording says now."""
    if row.recording_state in ("available", "incomplete") and row.gaps is not None:
        return credits_of_recording(row.duration_ms, row.gaps, row.absences or [], row.billable_ms)
    return credits_of_failure(row.recording_reason, row.billable_ms) if row.recording_state == "failed" else None
