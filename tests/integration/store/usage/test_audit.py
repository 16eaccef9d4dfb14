"""Which bills an audit reads, and how they come."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sessions.billing.billing_period import Period
from sessions.ids import new_uuid
from store.usage.audit import LedgerAudit
from tests.support.running.engine import Engine

ORGANIZATION, OTHER = UUID(int=1), UUID(int=2)
MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
ROW = (
    "INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier,"
    " credits, agent_id, recorded_at) VALUES (:id, :session_id, :organization_id, 1, 'final', 0, 1000, 'standard', 1,"
    " 1, 'agent', :at)"
)


async def bill(engine: Engine, at: datetime, organization_id: UUID = ORGANIZATION) -> UUID:
    """The row of a session that is erased."""
    session_id = new_uuid()
    await engine.sql(ROW, id=new_uuid(), session_id=session_id, organization_id=organization_id, at=at)
    return session_id


async def over(engine: Engine, at: datetime, **columns: Any) -> UUID:
    """A session that ran and is over, without any row."""
    values: dict[str, Any] = {
        "started_at": at,
        "ending_at": at,
        "ended_at": at,
        "finished_at": at,
        "recording_state": "none",
    }
    return await engine.new_session("ended", **{**values, **columns})


async def test_a_period_has_the_bills_that_it_touches(engine: Engine) -> None:
    """From its start up to, but without, its end: by rows, and by the end of a session whose rows may be missing."""
    audit = LedgerAudit(engine.db)
    inside = [await bill(engine, MARCH.start), await over(engine, MARCH.start)]
    for at in (MARCH.end, datetime(2026, 2, 28, tzinfo=UTC)):
        await bill(engine, at)
        await over(engine, at)
    await bill(engine, MARCH.start, OTHER)
    await over(engine, MARCH.start, organization_id=OTHER)
    await over(engine, MARCH.start, started_at=None)

    assert await audit.billed_in(ORGANIZATION, MARCH) == sorted(inside)


async def test_more_bills_than_are_read_at_once_come_each_once(engine: Engine) -> None:
    """With the rows of their own organization only."""
    audit = LedgerAudit(engine.db)
    ids = sorted([await bill(engine, MARCH.start) for _ in range(3)])
    foreign = await bill(engine, MARCH.start, OTHER)
    asked = [*ids, foreign, *(new_uuid() for _ in range(500))]

    found = {one.session_id: one async for one in audit.sessions(ORGANIZATION, asked)}

    assert list(found) == asked
    assert [len(found[one].rows) for one in (*ids, foreign)] == [1, 1, 1, 0]
    assert all(one.counter.settled and one.counter.billable_ms is None for one in found.values())


async def test_a_bill_leads_to_its_organization(engine: Engine) -> None:
    """While the session is there, and after it was erased."""
    audit = LedgerAudit(engine.db)
    erased = await bill(engine, MARCH.start, OTHER)

    assert await audit.organization_of(await engine.new_session()) == ORGANIZATION
    assert await audit.organization_of(erased) == OTHER
    assert await audit.organization_of(new_uuid()) is None
