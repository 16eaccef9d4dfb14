"""The bill: append-only, without holes, complete exactly once."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, floor
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.billing.crediting import covered_ms
from sessions.billing.usage import credits
from sessions.errors import DatabaseRefusedError, ParleyError
from sessions.lifecycle.lifecycle import Event
from sessions.lifecycle.stop import Stop
from store.lifecycle.locked_session import lock_session
from store.lifecycle.transitions import apply
from store.outputs.freeze import FrozenPlan
from store.runs.fence import Fence
from store.usage import ledger
from store.usage.audit import LedgerAudit
from store.usage.ledger import UsageEvent
from tests.support.running.engine import PRODUCT, Engine

ORGANIZATION = UUID(int=1)


def assert_tiles(rows: list[UsageEvent], billable_ms: int) -> None:
    """The ranges cover [0, billable_ms) exactly, the last and only the last is final."""
    assert [0, *(row.to_ms for row in rows[:-1])] == [row.from_ms for row in rows]
    assert rows[-1].to_ms == billable_ms
    assert [row.kind for row in rows] == ["accrual"] * (len(rows) - 1) + ["final"]
    assert all(row.credits == credits(row.to_ms - row.from_ms, row.multiplier) for row in rows)


async def finish(engine: Engine, fence: Fence) -> None:
    """Stop, seal, freeze and commit."""
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.beat(fence)
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)
    assert await engine.freezes.commit(fence.session_id, fence.epoch, PRODUCT)


async def accrue(engine: Engine, interval: float = 0) -> int:
    async with engine.db.begin() as conn:
        return await ledger.accrue(conn, interval)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE usage_events SET to_ms = to_ms + 1",
        "DELETE FROM usage_events",
        "TRUNCATE usage_events",
        "DELETE FROM usage_events WHERE false",
    ],
)
async def test_the_database_refuses_to_change_the_bill(engine: Engine, statement: str) -> None:
    """Not even the superuser that the tests connect as may change a row."""
    fence = await engine.running()
    await finish(engine, fence)
    before = await engine.bill(fence.session_id)

    with pytest.raises(DatabaseRefusedError) as refused:
        await engine.sql(statement)
    assert "its rows are the bill" in str(refused.value.__cause__)

    assert before == await engine.bill(fence.session_id)


async def test_the_bill_outlives_the_session(engine: Engine) -> None:
    """Erasing a session leaves its rows."""
    fence = await engine.running()
    await finish(engine, fence)
    await engine.sql("DELETE FROM sessions")

    assert len(await engine.bill(fence.session_id)) == 1


async def test_what_a_racing_beat_billed_past_the_end_is_not_on_the_bill(engine: Engine) -> None:
    """Its snapshot fell between the stamp of the end and its commit."""
    fence = await engine.running()
    await engine.pass_seconds(3)
    await engine.beat(fence)
    ended = await engine.runs.enter_ending(fence, Stop.ended("end.requested"))
    assert ended.ending_at is not None
    await engine.beat(fence)
    [before] = await engine.sql("SELECT billable_ms FROM runs")
    await engine.sql(
        "UPDATE runs SET billable_ms = billable_ms + 198, billed_at = :at",
        at=ended.ending_at + timedelta(milliseconds=198),
    )
    await engine.runs.seal(fence)
    await finish(engine, fence)

    assert (await engine.bill(fence.session_id))[-1].to_ms in (before.billable_ms, before.billable_ms - 1)
    assert (await engine.session(fence.session_id)).usage.billable_ms == (await engine.bill(fence.session_id))[-1].to_ms


async def test_nor_is_what_a_racing_beat_billed_past_the_pause_in_which_it_ended(engine: Engine) -> None:
    """The same with the stamp of a pause: no resume has made as much free."""
    fence = await engine.running()
    await engine.pass_seconds(3)
    await engine.beat(fence)
    async with engine.db.begin() as conn:
        locked = await lock_session(conn, fence.session_id)
        assert locked is not None
        await apply(conn, locked, Event.PAUSE)
    await engine.beat(fence)
    [before] = await engine.sql("SELECT billable_ms FROM runs")
    await engine.sql(
        "UPDATE runs SET billable_ms = billable_ms + 198,"
        " billed_at = (SELECT paused_at FROM sessions) + interval '198 ms'"
    )
    await engine.pass_seconds(5)
    await engine.runs.enter_ending(fence, Stop.ended("end.requested"))
    await engine.beat(fence)
    await engine.runs.seal(fence)
    await finish(engine, fence)

    assert (await engine.bill(fence.session_id))[-1].to_ms in (before.billable_ms, before.billable_ms - 1)


async def test_a_session_that_never_ran_has_no_rows(engine: Engine) -> None:
    """Nothing was proven, nothing is final."""
    session_id = await engine.new_session()
    await engine.claim()
    await engine.sql("UPDATE sessions SET status = 'canceled'")
    await accrue(engine)

    assert await engine.bill(session_id) == []


async def test_accruals_come_once_per_interval(engine: Engine) -> None:
    """A row for what is new since the last one, not sooner than the interval."""
    fence = await engine.running()
    await engine.pass_seconds(10)
    await engine.beat(fence)
    assert await accrue(engine, 60) == 0
    await engine.pass_seconds(50)
    assert await accrue(engine, 60) == 1
    assert await accrue(engine, 60) == 0

    [row] = await engine.bill(fence.session_id)
    assert (row.kind, row.from_ms, row.epoch) == ("accrual", 0, 1)
    assert row.to_ms == (await engine.session(fence.session_id)).usage.billable_ms


steps = st.lists(
    st.sampled_from(["beat", "beat", "beat", "accrue", "takeover", "rejoin", "handover"]), min_size=1, max_size=14
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, seconds=st.lists(st.floats(0.001, 20), min_size=14, max_size=14))
async def test_whatever_happens_the_rows_tile_the_counter(
    engine: Engine, steps: list[str], seconds: list[float]
) -> None:
    """Beats, accruals, takeovers, rejoins and handovers in any order: the ranges are [0, billable_ms) exactly."""
    fence = await engine.running()
    for step, passed in zip(steps, seconds, strict=False):
        await engine.pass_seconds(passed)
        match step:
            case "beat":
                await engine.beat(fence)
            case "accrue":
                await accrue(engine)
            case "rejoin":
                await engine.beat(fence, joined=False)
            case "takeover":
                await engine.sql("UPDATE runs SET billable_ms = billable_ms + 60000 WHERE epoch = :e", e=fence.epoch)
                await engine.claims.release(fence.owner, lost=True)
                fence = await engine.takeover(fence.session_id)
            case "handover":
                await engine.claims.release(fence.owner, lost=False)
                replaced = fence
                fence = await engine.takeover(fence.session_id)
                await engine.beat(replaced)
    await engine.sql("UPDATE runs SET sealed_at = clock_timestamp() WHERE epoch < :epoch", epoch=fence.epoch)
    await finish(engine, fence)

    assert_tiles(await engine.bill(fence.session_id), (await engine.session(fence.session_id)).usage.billable_ms)
    await engine.sql("DELETE FROM sessions")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.sampled_from(["beat", "beat", "accrue", "handover", "takeover", "pause"]), max_size=8),
    seconds=st.lists(st.floats(0.001, 20), min_size=8, max_size=8),
    late_ms=st.integers(0, 400),
    cuts=st.booleans(),
)
async def test_nobody_pays_for_a_pause_that_is_in_the_file(
    engine: Engine, steps: list[str], seconds: list[float], late_ms: int, cuts: bool
) -> None:
    """However late a worker heard of each resume, and whoever recorded: what was counted of it is given back."""
    fence = await engine.running(on_pause="cut" if cuts else "silence")
    for step, passed in zip(steps, seconds, strict=False):
        await engine.pass_seconds(passed)
        match step:
            case "beat":
                await engine.beat(fence)
            case "accrue":
                await accrue(engine)
            case "pause":
                await move(engine, fence, Event.PAUSE)
                await engine.beat(fence)
                await engine.pass_seconds(passed)
                await move(engine, fence, Event.RESUME)
            case _:
                if is_lost := step == "takeover":
                    for _ in range(5):  # a minute, after which nothing is blamed on the session
                        await engine.pass_seconds(13)
                        await engine.beat(fence)
                await engine.claims.release(fence.owner, lost=is_lost)
                fence = await engine.takeover(fence.session_id)
    await engine.sql("UPDATE runs SET sealed_at = clock_timestamp() WHERE epoch < :epoch", epoch=fence.epoch)
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.beat(fence)
    await engine.runs.seal(fence)
    frozen = await engine.frozen(fence.session_id)
    duration_ms, gaps = as_recorded(frozen, late_ms, cuts=cuts)
    product = replace(PRODUCT, duration_ms=duration_ms, gaps=gaps)
    assert await engine.freezes.commit(fence.session_id, fence.epoch, product)

    billed_ms = sum(row.milliseconds for row in await engine.bill(fence.session_id))
    assert billed_ms <= duration_ms + 1 - covered_ms((gap["start_ms"], gap["end_ms"]) for gap in gaps)
    assert (await LedgerAudit(engine.db).check(ORGANIZATION, fence.session_id)).imbalances() == []
    await engine.sql("DELETE FROM sessions")


async def move(engine: Engine, fence: Fence, event: Event) -> None:
    """As a command does."""
    async with engine.db.begin() as conn:
        locked = await lock_session(conn, fence.session_id)
        assert locked is not None
        await apply(conn, locked, event)


def as_recorded(frozen: FrozenPlan, late_ms: int, *, cuts: bool) -> tuple[int, list[dict[str, Any]]]:
    """The length of a recording and its pauses, each of which its worker left `late_ms` late."""
    started_at, ending_at = frozen.session.started_at, frozen.session.ending_at
    assert started_at is not None
    assert ending_at is not None

    def at_ms(stamp: datetime) -> float:
        return (stamp - started_at) / timedelta(milliseconds=1)

    pauses = [
        (at_ms(datetime.fromisoformat(one["paused_at"])), at_ms(datetime.fromisoformat(one["resumed_at"])))
        for one in frozen.pauses
    ]
    following = [*(paused for paused, _ in pauses), at_ms(ending_at)][1:]
    gaps: list[dict[str, Any]] = []
    length_ms = at_ms(ending_at)
    for (paused, resumed), until in zip(pauses, following, strict=True):
        begins = resumed if cuts else paused
        ends = max(min(resumed + late_ms, until), begins)
        gone = sum(end - start for start, end in pauses if end <= begins) if cuts else 0.0
        gaps.append({"start_ms": floor(begins - gone), "end_ms": ceil(ends - gone), "code": "gap.paused"})
    if cuts:
        length_ms -= sum(end - start for start, end in pauses)
    if gaps:
        gaps[-1]["end_ms"] = min(ceil(ends - gone), floor(length_ms))
    return floor(length_ms), gaps


async def test_racing_beats_accruals_and_handovers_leave_no_hole(engine: Engine) -> None:
    """The same, all at once: four sessions, and two sweepers that write rows as fast as they can."""
    fences = [await engine.running() for _ in range(4)]
    living = len(fences)

    async def keep_accruing() -> None:
        while living:
            await accrue(engine)

    async def live(fence: Fence) -> None:
        nonlocal living
        for turn in range(15):
            await engine.beat(fence)
            if turn % 5 == 4:
                await engine.claims.release(fence.owner, lost=False)
                known = [other.session_id for other in fences if other.session_id != fence.session_id]
                successor = await engine.takeover(fence.session_id, known=known)
                await engine.beat(fence)
                await engine.runs.seal(fence)
                fence = successor
        await finish(engine, fence)
        living -= 1

    async with asyncio.TaskGroup() as group:
        group.create_task(keep_accruing())
        group.create_task(keep_accruing())
        for fence in fences:
            group.create_task(live(fence))

    for fence in fences:
        assert_tiles(await engine.bill(fence.session_id), (await engine.session(fence.session_id)).usage.billable_ms)


async def test_credits_multiply_exactly(engine: Engine) -> None:
    """The session's own multiplier, in decimals."""
    fence = await engine.running(multiplier=Decimal("1.500"))
    await engine.pass_seconds(3)
    await finish(engine, fence)

    [row] = await engine.bill(fence.session_id)
    assert row.multiplier == Decimal("1.500")
    assert abs(row.credits - Decimal(row.to_ms) * Decimal("1.5") / 1000) <= Decimal("0.0005")


async def test_half_a_thousandth_of_a_credit_is_rounded_up(engine: Engine) -> None:
    """As `sessions.billing.usage` does: the check of a bill recomputes its credits to the last place."""
    fence = await engine.running(multiplier=Decimal("1.500"))
    await engine.sql("UPDATE runs SET billable_ms = 3")
    assert await accrue(engine) == 1

    [row] = await engine.bill(fence.session_id)
    assert (row.from_ms, row.to_ms, row.credits) == (0, 3, Decimal("0.005"))


async def test_pages_of_one_session_follow_each_other(engine: Engine) -> None:
    """`after` and `limit` walk over every row once."""
    fence = await engine.running()
    for _ in range(3):
        await engine.pass_seconds(2)
        await engine.beat(fence)
        await accrue(engine)
    await finish(engine, fence)
    whole = await engine.bill(fence.session_id)

    walked: list[UsageEvent] = []
    more = True
    while more:
        after = walked[-1].id if walked else None
        page, more = await engine.ledger.events(ORGANIZATION, session_id=fence.session_id, after=after, limit=2)
        walked += page

    assert walked == whole
    assert len(whole) == 4


async def test_the_organizations_tail_ends_half_a_minute_before_now(engine: Engine) -> None:
    """A row that commits late is not stepped over."""
    fence = await engine.running()
    await finish(engine, fence)
    assert await engine.ledger.events(ORGANIZATION) == ([], False)

    await engine.sql("ALTER TABLE usage_events DISABLE TRIGGER ALL")
    await engine.sql("UPDATE usage_events SET recorded_at = recorded_at - :back", back=timedelta(seconds=31))

    rows, more = await engine.ledger.events(ORGANIZATION)
    assert ([row.session_id for row in rows], more) == ([fence.session_id], False)
    assert await engine.ledger.events(UUID(int=2)) == ([], False)


async def test_an_unknown_cursor_is_refused(engine: Engine) -> None:
    """`after` has to be a row of the organization."""
    with pytest.raises(ParleyError, match=r"parameter\.invalid"):
        await engine.ledger.events(ORGANIZATION, after=UUID(int=5))


async def test_pages_of_an_organization_follow_each_other_through_one_instant(engine: Engine) -> None:
    """Rows of one accrual share their time: `after` steps over none of them; with `agent_id`, over all others."""
    fences = [await engine.running(agent_id=agent_id) for agent_id in ("one", "other", "one", "one")]
    await engine.sql("UPDATE runs SET billable_ms = 1000")
    assert await accrue(engine) == 4
    await engine.sql("ALTER TABLE usage_events DISABLE TRIGGER ALL")
    await engine.sql("UPDATE usage_events SET recorded_at = now() - interval '31 seconds'")

    for agent_id, expected in [(None, fences), ("one", [fences[0], *fences[2:]]), ("nobody", [])]:
        walked: list[UsageEvent] = []
        more = True
        while more:
            after = walked[-1].id if walked else None
            page, more = await engine.ledger.events(ORGANIZATION, after=after, limit=1, agent_id=agent_id)
            walked += page
        assert sorted(row.session_id for row in walked) == sorted(fence.session_id for fence in expected)


async def test_what_the_recording_lacks_through_our_fault_is_given_back(engine: Engine) -> None:
    """In the transaction that makes the recording public, before the final row; the rows add up to what is in it."""
    fence = await engine.running(multiplier=Decimal("1.500"))
    for _ in range(6):
        await engine.pass_seconds(10)
        await engine.beat(fence)
    await accrue(engine)
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)
    before = await engine.session(fence.session_id)
    assert (before.usage.provisional, before.usage.credited_ms) == (True, 0)
    lost = [
        {"start_ms": 1000, "end_ms": 11_000, "code": "gap.storage"},
        {"start_ms": 20_000, "end_ms": 21_000, "code": "gap.overflow"},
    ]
    duration_ms = before.usage.billable_ms
    product = replace(PRODUCT, duration_ms=duration_ms, gaps=lost, incomplete=True, reason="gap.storage")

    assert await engine.freezes.commit(fence.session_id, fence.epoch, product)

    rows = await engine.bill(fence.session_id)
    assert [(row.kind, row.code, row.from_ms, row.to_ms) for row in rows] == [
        ("accrual", None, 0, rows[0].to_ms),
        ("credit", "gap.storage", 1000, 10_999),
        ("final", None, rows[0].to_ms, duration_ms),
    ]
    assert sum(row.milliseconds for row in rows) == duration_ms - 9999
    assert rows[1].credits == -credits(9999, Decimal("1.500"))
    usage = (await engine.session(fence.session_id)).usage
    assert (usage.billable_ms, usage.credited_ms, usage.provisional) == (before.usage.billable_ms, 9999, False)


async def test_a_recording_that_we_could_not_store_costs_nothing(engine: Engine) -> None:
    """Everything that was billed is given back."""
    fence = await engine.running()
    await engine.pass_seconds(10)
    await engine.beat(fence)
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)

    assert await engine.freezes.commit_without_product(fence.session_id, fence.epoch)

    credit, final = await engine.bill(fence.session_id)
    assert (credit.kind, credit.code, final.kind) == ("credit", "storage.write_failed", "final")
    assert credit.milliseconds + final.milliseconds == 0
    assert credit.credits + final.credits == 0


async def test_the_pages_of_one_session_lose_no_row(engine: Engine) -> None:
    """One row a page, in the order in which they were written."""
    fence = await engine.running()
    await engine.pass_seconds(10)
    await engine.beat(fence)
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)
    gaps = [{"start_ms": ms, "end_ms": ms + 500, "code": "gap.rejoin"} for ms in (0, 1000, 2000)]
    counted_ms = (await engine.session(fence.session_id)).usage.billable_ms
    product = replace(PRODUCT, duration_ms=counted_ms, gaps=gaps)
    assert await engine.freezes.commit(fence.session_id, fence.epoch, product)
    whole = await engine.bill(fence.session_id)

    met: list[UsageEvent] = []
    more = True
    while more:
        after = met[-1].id if met else None
        page, more = await engine.ledger.events(ORGANIZATION, session_id=fence.session_id, after=after, limit=1)
        met += page

    assert met == whole
    assert [row.kind for row in whole] == ["credit", "credit", "credit", "final"]
