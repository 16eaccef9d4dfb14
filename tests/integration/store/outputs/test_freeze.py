"""Freeze once, commit once."""

import asyncio
from typing import Any

import pytest

from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.stop import Stop
from store.outputs.freeze import NotReady
from store.runs.fence import Fence
from tests.support.running.engine import PRODUCT, Engine

SEGMENTS = [{"key": "spool/x/1", "size": 10, "crc32": 7}]


async def ending(engine: Engine, *, sealed: bool = True) -> Fence:
    """A session that ran and was asked to end."""
    fence = await engine.running()
    await engine.pass_seconds(4)
    await engine.beat(fence)
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.beat(fence)
    if sealed:
        await engine.runs.seal(fence)
    return fence


async def no_segments() -> list[dict[str, Any]]:
    return []


async def test_nothing_is_frozen_while_a_run_drains(engine: Engine) -> None:
    """A run that beats is waited for, however long it takes."""
    fence = await ending(engine, sealed=False)
    await engine.pass_seconds(300)
    await engine.beat(fence)

    assert await engine.freezes.freeze(fence.session_id, 60, no_segments) == NotReady(Status.ENDING, 1)


async def test_a_lost_run_is_waited_for_only_so_long(engine: Engine) -> None:
    """After the salvage time the plan says whose spool is missing, and late beats bill nothing."""
    fence = await ending(engine, sealed=False)
    await engine.pass_seconds(61)

    plan = await engine.frozen(fence.session_id, SEGMENTS)
    before = (await engine.session(fence.session_id)).usage.billable_ms
    await engine.sql("UPDATE sessions SET ending_at = ending_at + interval '30 s'")
    await engine.beat(fence, frames=100)

    assert [run["sealed"] for run in plan.runs] == [False]
    usage = (await engine.session(fence.session_id)).usage
    assert (usage.billable_ms, usage.frames) == (before, 0)


async def test_every_builder_gets_the_plan_of_the_first(engine: Engine) -> None:
    """What is stored later doesn't change the product."""
    fence = await ending(engine)

    first = await engine.frozen(fence.session_id, SEGMENTS)
    second = await engine.frozen(fence.session_id, [])

    assert (second.segments, second.runs, second.recording_id) == (SEGMENTS, first.runs, first.recording_id)


async def test_racing_builders_freeze_one_plan(engine: Engine) -> None:
    """Several at once read the same row."""
    fence = await ending(engine)
    plans = []

    async def freeze(number: int) -> None:
        plans.append(await engine.frozen(fence.session_id, [{"number": number}]))

    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(freeze(number))

    assert len({plan.recording_id for plan in plans}) == 1
    assert all(plan.segments == plans[0].segments for plan in plans)


async def test_the_loser_of_a_commit_matches_nothing(engine: Engine) -> None:
    """Of builders that commit at once, one makes the session terminal."""
    fence = await ending(engine)
    await engine.frozen(fence.session_id)
    committed: list[bool] = []

    async def commit() -> None:
        committed.append(await engine.freezes.commit(fence.session_id, fence.epoch, PRODUCT))

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(commit())

    assert sorted(committed) == [False] * 5 + [True]
    session = await engine.session(fence.session_id)
    assert (session.status, session.recording_state) == (Status.ENDED, "available")
    assert session.ended_at == session.finished_at
    assert (await engine.events(fence.session_id))[-3:] == ["usage.finalized", "recording.available", "session.ended"]
    assert [row.kind for row in await engine.bill(fence.session_id)] == ["final"]


async def test_a_commit_of_another_epoch_matches_nothing(engine: Engine) -> None:
    """The fence of the product is the epoch."""
    fence = await ending(engine)
    await engine.frozen(fence.session_id)

    assert not await engine.freezes.commit(fence.session_id, fence.epoch + 1, PRODUCT)
    assert await engine.status(fence.session_id) is Status.ENDING


async def test_a_commit_without_a_frozen_plan_matches_nothing(engine: Engine) -> None:
    """Nothing is half committed."""
    fence = await ending(engine)

    assert not await engine.freezes.commit(fence.session_id, fence.epoch, PRODUCT)
    assert await engine.bill(fence.session_id) == []


@pytest.mark.parametrize(
    ("outcome", "code", "terminal"),
    [
        ("ended", "end.idle_timeout", Status.ENDED),
        ("failed", "room.duplicate_identity", Status.FAILED),
        ("canceled", "cancel.requested", Status.CANCELED),
    ],
)
async def test_the_outcome_is_that_of_entering_ending(
    engine: Engine, outcome: Any, code: str, terminal: Status
) -> None:
    """The commit carries out what was decided."""
    fence = await engine.running()
    await engine.runs.enter_ending(fence, Stop(outcome, code))
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)
    assert await engine.freezes.commit(fence.session_id, 1, PRODUCT)

    session = await engine.session(fence.session_id)
    assert (session.status, session.end_reason, session.outcome) == (terminal, code, outcome)
    assert session.error_code == (code if outcome == "failed" else None)


async def test_without_a_product_the_session_failed(engine: Engine) -> None:
    """Only this overrules an outcome; the bill is complete all the same."""
    fence = await ending(engine)
    assert await engine.freezes.commit_without_product(fence.session_id, 1)

    session = await engine.session(fence.session_id)
    assert (session.status, session.error_code) == (Status.FAILED, "storage.write_failed")
    assert (session.recording_state, session.recording_reason) == ("failed", "storage.write_failed")
    *_, row = await engine.bill(fence.session_id)
    assert (row.kind, row.to_ms) == ("final", session.usage.billable_ms)


async def test_the_last_seal_defers_the_finalize_job(engine: Engine) -> None:
    """A replaced run that seals last, too."""
    first = await engine.running()
    await engine.claims.release(first.owner, lost=True)
    second = await engine.takeover(first.session_id)
    await engine.runs.enter_ending(second, Stop.ended("end.room_closed"))
    await engine.sql("UPDATE procrastinate_jobs SET status = 'cancelled'")

    await engine.runs.seal(second)
    assert await engine.finalize_jobs(first.session_id) == 0
    await engine.runs.seal(first)

    assert await engine.finalize_jobs(first.session_id) == 1


async def test_racing_seals_defer_the_finalize_job(engine: Engine) -> None:
    """Of two runs that seal at once, one sees that it is the last."""
    first = await engine.running()
    await engine.claims.release(first.owner, lost=True)
    second = await engine.takeover(first.session_id)
    await engine.runs.enter_ending(second, Stop.ended("end.room_closed"))
    await engine.sql("UPDATE procrastinate_jobs SET status = 'cancelled'")

    async with asyncio.TaskGroup() as group:
        group.create_task(engine.runs.seal(first))
        group.create_task(engine.runs.seal(second))

    assert await engine.finalize_jobs(first.session_id) == 1


async def test_a_terminal_session_has_nothing_to_freeze(engine: Engine) -> None:
    """A job that comes late finds it done."""
    fence = await ending(engine)
    await engine.frozen(fence.session_id)
    await engine.freezes.commit(fence.session_id, 1, PRODUCT)

    assert await engine.freezes.freeze(fence.session_id, 60, no_segments) == NotReady(Status.ENDED, 0)
