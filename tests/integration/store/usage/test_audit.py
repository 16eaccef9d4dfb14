"""Which bills an audit reads, and how they come."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from sessions.billing.billing_period import Period
from sessions.ids import new_uuid
from store.usage.audit import LedgerAudit
from store.usage.verification import BillVerifier
from tests.support.running.engine import Engine

ORGANIZATION, OTHER = UUID(int=1), UUID(int=2)
MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
ROW = (
    "INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier,"
    " credits, agent_id, recorded_at) VALUES (:id, :session_id, :organization_id, 1, :kind, :from_ms, :from_ms + 1000,"
    " 'standard', 1, :credits, :agent_id, :at)"
)


async def bill(
    engine: Engine,
    at: datetime,
    organization_id: UUID = ORGANIZATION,
    *,
    session_id: UUID | None = None,
    from_ms: int = 0,
    credits: int = 1,
    agent_id: str = "agent",
) -> UUID:
    """A row of a session, which is erased unless it is given."""
    values = {"organization_id": organization_id, "from_ms": from_ms, "credits": credits, "agent_id": agent_id}
    kind = "final" if from_ms == 0 else "accrual"
    session_id = session_id or new_uuid()
    await engine.sql(ROW, id=new_uuid(), session_id=session_id, kind=kind, at=at, **values)
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
    inside = [await bill(engine, MARCH.start), await over(engine, MARCH.start)]
    for at in (MARCH.end, datetime(2026, 2, 28, tzinfo=UTC)):
        await bill(engine, at)
        await over(engine, at)
    await bill(engine, MARCH.start, OTHER)
    await over(engine, MARCH.start, organization_id=OTHER)
    await over(engine, MARCH.start, started_at=None)

    stretch = await LedgerAudit(engine.db).stretch(ORGANIZATION, MARCH, MARCH.start)

    assert sorted(one for one, _ in stretch.bills) == sorted(inside)
    assert stretch.until == MARCH.end


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
async def test_each_bill_of_a_period_is_in_one_stretch(engine: Engine, rows: int) -> None:
    """However short the stretches are: with rows in several, at one moment, before the period, and without any."""
    audit = LedgerAudit(engine.db)
    noon = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in range(1, 10)]
    long = await bill(engine, noon[0])
    for number, at in enumerate(noon[1:], 1):
        await bill(engine, at, session_id=long, from_ms=number * 1000)
    before = await bill(engine, datetime(2026, 2, 27, tzinfo=UTC))
    await bill(engine, noon[4], session_id=before, from_ms=1000)
    together = [await bill(engine, noon[2]) for _ in range(4)]
    bare = [await over(engine, noon[2]), await over(engine, noon[7])]
    ended = await over(engine, noon[8])
    await bill(engine, noon[3], session_id=ended)

    since, found = MARCH.start, list[tuple[UUID, datetime]]()
    while since < MARCH.end:
        stretch = await audit.stretch(ORGANIZATION, MARCH, since, rows=rows)
        assert all(since <= at < stretch.until for _, at in stretch.bills)
        found += stretch.bills
        since = stretch.until

    expected = {long: noon[0], before: noon[4], ended: noon[3], bare[0]: noon[2], bare[1]: noon[7]}
    assert sorted(found) == sorted({**expected, **dict.fromkeys(together, noon[2])}.items())


async def test_an_agents_bills_are_its_own(engine: Engine) -> None:
    """By rows, and by sessions without any."""
    await bill(engine, MARCH.start, agent_id="else")
    await over(engine, MARCH.start, agent_id="else")
    own = [await bill(engine, MARCH.start), await over(engine, MARCH.start)]

    stretch = await LedgerAudit(engine.db).stretch(ORGANIZATION, MARCH, MARCH.start, agent_id="agent")

    assert sorted(one for one, _ in stretch.bills) == sorted(own)


async def test_more_bills_than_are_read_at_once_come_each_once(engine: Engine) -> None:
    """With the rows of their own organization only."""
    audit = LedgerAudit(engine.db)
    ids = sorted([await bill(engine, MARCH.start) for _ in range(3)])
    foreign = await bill(engine, MARCH.start, OTHER)
    asked = [*ids, foreign, *(new_uuid() for _ in range(500))]

    found = [one async for one in audit.checks(ORGANIZATION, asked)]

    assert sorted(one for one, _ in found) == sorted(asked)
    checks = dict(found)
    assert [checks[one].counted_ms for one in (*ids, foreign)] == [1000, 1000, 1000, 0]
    assert all(check.settled for check in checks.values())


async def test_a_verification_goes_on_where_it_stopped(engine: Engine) -> None:
    """By sessions and by time, and finds each bill once; what is wrong is named."""
    at = [datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in range(8)]
    ids = [await bill(engine, moment) for moment in at]
    wrong = await bill(engine, at[5], credits=2)
    verifier = BillVerifier(engine.db)

    for bounds in ({"most": 2}, {"seconds": 0.0, "most": 3}, {"seconds": 0.0}):
        since: datetime | None = None
        parts = []
        while since != MARCH.end:
            parts.append(await verifier.verify(ORGANIZATION, MARCH, since=since, **bounds))
            since = parts[-1].until
        assert sum(part.checked for part in parts) == len(ids) + 1
        [unbalanced] = [part.unbalanced for part in parts if part.unbalanced]
        assert [wrong] == list(unbalanced)
        assert (unbalanced[wrong].credits, unbalanced[wrong].recomputed_credits) == (Decimal(2), Decimal(1))
        if "most" in bounds:
            assert max(part.checked for part in parts) <= bounds["most"] + 1  # two were billed at the same moment


async def test_a_bill_leads_to_its_organization(engine: Engine) -> None:
    """While the session is there, and after it was erased."""
    audit = LedgerAudit(engine.db)
    erased = await bill(engine, MARCH.start, OTHER)

    assert await audit.organization_of(await engine.new_session()) == ORGANIZATION
    assert await audit.organization_of(erased) == OTHER
    assert await audit.organization_of(new_uuid()) is None
