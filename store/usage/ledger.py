"""The bill: append-only rows, each a half-open range [from_ms, to_ms) of a session's counter of billable milliseconds.

`sessions.ledger_ms` is where the last row ends. A row is written by whoever moves it, under the lock of the session's
row, so ranges neither overlap nor leave holes; the id is derived from (session, from_ms), so no row exists twice. Rows
that give back (`sessions.billing.crediting`) are written before the final one, with ranges of the recording's times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.billing.crediting import Credit
from sessions.billing.usage import row_milliseconds
from sessions.errors import ParleyError
from store.database.database import Database
from store.database.tables import usage_events

# Transactions are bounded to 10 s; a reader of the organization's tail must not step over one that commits late.
TAIL_SECONDS = 30

ACCRUED_AT_ONCE = 2000  # rows in one transaction; more are due only when nobody has swept for a while


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One row of the bill."""

    id: UUID
    session_id: UUID
    organization_id: UUID
    epoch: int
    kind: Literal["accrual", "final", "credit"]
    code: str | None
    from_ms: int
    to_ms: int
    quality: str
    multiplier: Decimal
    credits: Decimal
    agent_id: str
    external_customer_id: str | None
    recorded_at: datetime

    @property
    def milliseconds(self) -> int:
        """What it bills; negative for what it gives back."""
        return row_milliseconds(self.kind, self.from_ms, self.to_ms)


def _settling(which: str, kind: str) -> str:
    """Move the ledgers of the sessions that `which` selects; a final row is written even when it is empty."""
    return f"""
        WITH due AS MATERIALIZED ({which}),
        totals AS MATERIALIZED (
            SELECT due.*,
                   (SELECT coalesce(sum(billable_ms), 0)::bigint FROM runs WHERE session_id = due.id) AS total_ms
            FROM due
        ),
        moved AS (
            UPDATE sessions
            SET ledger_ms = greatest(totals.total_ms, totals.ledger_ms), ledger_at = statement_timestamp()
            FROM totals WHERE sessions.id = totals.id
        )
        INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier,
                                  credits, agent_id, external_customer_id, recorded_at)
        SELECT md5(id || ':' || ledger_ms)::uuid, id, organization_id, epoch, '{kind}', ledger_ms,
               greatest(total_ms, ledger_ms), quality, multiplier,
               round(greatest(total_ms - ledger_ms, 0) * multiplier / 1000, 3), agent_id, external_customer_id,
               clock_timestamp()
        FROM totals WHERE total_ms > ledger_ms OR '{kind}' = 'final'
    """


_COLUMNS = "id, organization_id, epoch, ledger_ms, quality, multiplier, agent_id, external_customer_id"
_HELD = f"SELECT {_COLUMNS} FROM sessions WHERE id = ANY(CAST(:ids AS uuid[]))"
_ACCRUE = text(
    _settling(
        f"""
        SELECT {_COLUMNS} FROM sessions
        WHERE kind = 'voice' AND status IN ('running', 'paused')
          AND coalesce(ledger_at, started_at) < statement_timestamp() - make_interval(secs => :interval)
        LIMIT {ACCRUED_AT_ONCE} FOR NO KEY UPDATE SKIP LOCKED
        """,
        "accrual",
    )
)
_SETTLE = text(_settling(_HELD, "accrual"))
_CLOSE = text(_settling(_HELD, "final"))
# A beat whose snapshot lies between the stamp of an end and its commit has billed past the end; so may one at the stamp
# of the pause in which the session ended. What the ledger has already is not taken back.
_TRIM = text(
    """
    UPDATE runs r
    SET billed_at = s.stopped_at,
        billable_ms = r.billable_ms - greatest(0, least(
            ceil(extract(epoch FROM r.billed_at - s.stopped_at) * 1000)::bigint, r.billable_ms,
            (SELECT sum(billable_ms) FROM runs WHERE session_id = s.id)::bigint - s.ledger_ms))
    FROM (SELECT id, epoch, ledger_ms, least(ending_at, paused_at) AS stopped_at FROM sessions WHERE id = :id) s
    WHERE r.session_id = s.id AND r.epoch = s.epoch AND r.billed_at > s.stopped_at
    """
)
_BILLED = text("SELECT coalesce(sum(billable_ms), 0)::bigint FROM runs WHERE session_id = :id")
_GIVE_BACK = text(
    """
    WITH given AS (
        INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, code, from_ms, to_ms, quality,
                                  multiplier, credits, agent_id, external_customer_id, recorded_at)
        SELECT md5(s.id || ':' || g.from_ms || ':' || g.code)::uuid, s.id, s.organization_id, s.epoch, 'credit', g.code,
               g.from_ms, g.to_ms, s.quality, s.multiplier,
               -round((g.to_ms - g.from_ms) * s.multiplier / 1000, 3), s.agent_id, s.external_customer_id,
               clock_timestamp()
        FROM sessions s,
             unnest(CAST(:codes AS text[]), CAST(:froms AS bigint[]), CAST(:tos AS bigint[]))
                 AS g (code, from_ms, to_ms)
        WHERE s.id = :id
        RETURNING to_ms - from_ms AS ms
    )
    UPDATE sessions SET credited_ms = (SELECT coalesce(sum(ms), 0) FROM given) WHERE id = :id
    """
)
_SEAL_ALL = text("UPDATE runs SET sealed_at = statement_timestamp() WHERE session_id = :id AND sealed_at IS NULL")


async def accrue(conn: AsyncConnection, usage_interval_seconds: float) -> int:
    """Write a row for running sessions whose last one is older than the interval, `ACCRUED_AT_ONCE` at most.

    Returns:
        The number of rows.
    """
    return (await conn.execute(_ACCRUE, {"interval": usage_interval_seconds})).rowcount


async def settle(conn: AsyncConnection, session_ids: Sequence[UUID]) -> None:
    """Bring the ledgers of sessions, whose rows this transaction has locked, up to what is proven."""
    if session_ids:
        await conn.execute(_SETTLE, {"ids": list(session_ids)})


async def stop_billing(conn: AsyncConnection, session_id: UUID) -> None:
    """Seal the open runs of a session, so that later beats bill nothing, and take back what was billed past its end."""
    await conn.execute(_SEAL_ALL, {"id": session_id})
    await conn.execute(_TRIM, {"id": session_id})


async def close(conn: AsyncConnection, session_id: UUID, credits_for: Callable[[int], Sequence[Credit]]) -> None:
    """Write the last rows of a session whose row this transaction has locked: what is given back, and the final one.

    Later beats add nothing.

    Args:
        credits_for: what is given back of so many billed milliseconds.
    """
    await stop_billing(conn, session_id)
    billed_ms = (await conn.execute(_BILLED, {"id": session_id})).scalar_one()
    if given := credits_for(billed_ms):
        values = {
            "id": session_id,
            "codes": [credit.code for credit in given],
            "froms": [credit.from_ms for credit in given],
            "tos": [credit.to_ms for credit in given],
        }
        await conn.execute(_GIVE_BACK, values)
    await conn.execute(_CLOSE, {"ids": [session_id]})


class Ledger:
    """Reads the bill."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def events(
        self,
        organization_id: UUID,
        *,
        session_id: UUID | None = None,
        after: UUID | None = None,
        limit: int = 100,
        agent_id: str | None = None,
    ) -> tuple[list[UsageEvent], bool]:
        """A page of the bill, oldest first, and whether there is more.

        A session's rows are on its page as soon as they are written; pages of an organization end 30 s before now.

        Args:
            after: the id of the last row of the page before.
            agent_id: only this agent's.

        Raises:
            ParleyError: `parameter.invalid`, when `after` is no row of this organization.
        """
        table = usage_events.c
        conditions: list[ColumnElement[bool]] = [table.organization_id == organization_id]
        if session_id is not None:
            conditions.append(table.session_id == session_id)
        if agent_id is not None:
            conditions.append(table.agent_id == agent_id)
        async with self._db.begin() as conn:
            if after is not None:
                cursor = (
                    await conn.execute(select(table.recorded_at).where(*conditions, table.id == after))
                ).one_or_none()
                if cursor is None:
                    raise ParleyError("parameter.invalid", "no such usage event", param="after")
                conditions.append(tuple_(table.recorded_at, table.id) > tuple_(cursor.recorded_at, after))
            query = select(usage_events).where(*conditions).order_by(table.recorded_at, table.id).limit(limit + 1)
            if session_id is None:
                query = query.where(table.recorded_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, TAIL_SECONDS))
            rows = (await conn.execute(query)).all()
        return [_event(row._mapping) for row in rows[:limit]], len(rows) > limit


def _event(row: Any) -> UsageEvent:
    return UsageEvent(**{name: row[name] for name in UsageEvent.__dataclass_fields__})
