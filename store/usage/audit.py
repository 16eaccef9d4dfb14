"""Reading bills to check them (`sessions.billing.ledger_check`): whole sessions, rows and counter of one snapshot."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text

from sessions.billing.billing_period import Period
from sessions.billing.crediting import Credit, credits_of_failure, credits_of_recording
from sessions.billing.ledger_check import BillCheck, Counter
from sessions.lifecycle.lifecycle import TERMINAL
from store.database.database import Database

_AT_A_TIME = 200
_ROWS_AT_A_TIME = 500

# Sessions with a row in the period, and those that ran and ended in it, whose final row may be missing.
_BILLED_IN = text(
    """
    SELECT session_id FROM usage_events
    WHERE organization_id = :organization_id AND recorded_at >= :start AND recorded_at < :end
    UNION
    SELECT id FROM sessions
    WHERE organization_id = :organization_id AND kind = 'voice' AND started_at IS NOT NULL
      AND finished_at >= :start AND finished_at < :end
    ORDER BY 1
    """
)
_WHOLE = text(
    """
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
_HEAD = text(
    """
    SELECT sessions.status, sessions.multiplier AS session_multiplier,
           CASE WHEN sessions.id IS NOT NULL
                THEN (SELECT coalesce(sum(billable_ms), 0)::bigint FROM runs WHERE runs.session_id = wanted.id)
           END AS billable_ms,
           sessions.started_at IS NOT NULL AS ran, sessions.recording_state, sessions.recording_reason,
           recordings.duration_ms, recordings.gaps, recordings.absences
    FROM (SELECT CAST(:id AS uuid) AS id) AS wanted
    LEFT JOIN sessions ON sessions.id = wanted.id AND sessions.organization_id = :organization_id
    LEFT JOIN recordings ON recordings.session_id = sessions.id
    """
)
_OPEN_ROWS = text(
    """
    DECLARE bill NO SCROLL CURSOR FOR
    SELECT kind, code, epoch, from_ms, to_ms, quality, multiplier, credits, agent_id, external_customer_id, recorded_at
    FROM usage_events WHERE session_id = :id AND organization_id = :organization_id
    ORDER BY kind = 'credit', from_ms, to_ms, recorded_at
    """
)
_NEXT_ROWS = text(f"FETCH {_ROWS_AT_A_TIME} FROM bill")
_ONE_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
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
class AuditedSession:
    """A session's whole bill, oldest row first, and its own counter."""

    session_id: UUID
    rows: list[AuditedRow]
    counter: Counter


class LedgerAudit:
    """Reads bills; `sessions.billing.ledger_check` checks them."""

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

    async def billed_in(self, organization_id: UUID, period: Period) -> list[UUID]:
        """The sessions whose bills the period touches."""
        values = {"organization_id": organization_id, "start": period.start, "end": period.end}
        async with self._db.begin() as conn:
            return list((await conn.execute(_BILLED_IN, values)).scalars())

    async def check(self, organization_id: UUID, session_id: UUID) -> BillCheck:
        """One session's bill, checked while it is read: however many rows it has, some hundred are held at a time."""
        values = {"organization_id": organization_id, "id": session_id}
        async with self._db.begin() as conn:
            await conn.execute(_ONE_SNAPSHOT)
            check = BillCheck(_counter((await conn.execute(_HEAD, values)).one()))
            await conn.execute(_OPEN_ROWS, values)
            while rows := (await conn.execute(_NEXT_ROWS)).all():
                for row in rows:
                    check.read(_audited(row))
        return check

    async def sessions(self, organization_id: UUID, ids: Sequence[UUID]) -> AsyncIterator[AuditedSession]:
        """These sessions, in the order of their ids."""
        for first in range(0, len(ids), _AT_A_TIME):
            values = {"organization_id": organization_id, "ids": list(ids[first : first + _AT_A_TIME])}
            async with self._db.begin() as conn:
                found = (await conn.execute(_WHOLE, values)).all()
            for session_id, rows in groupby(found, key=lambda row: row.session_id):
                yield _session(session_id, list(rows))


def _session(session_id: UUID, rows: Sequence[Any]) -> AuditedSession:
    """One session's rows as its bill. A session that never ran has no final row, so it counts as not settled."""
    return AuditedSession(session_id, [_audited(row) for row in rows if row.kind is not None], _counter(rows[0]))


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
