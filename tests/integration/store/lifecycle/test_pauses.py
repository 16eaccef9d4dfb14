"""What a pause does to the bill, and what workers, salvage and finalizing hear of it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from sessions.errors import DatabaseUnavailableError
from sessions.ids import new_uuid
from sessions.lifecycle.lifecycle import Event
from store.access.vault import TokenVault
from store.lifecycle.locked_session import lock_session
from store.lifecycle.pauses import COMMIT_SECONDS, bound_pausing
from store.lifecycle.transitions import apply
from store.runs.leftover_runs import find_leftover_run
from store.sessions.sessions import Sessions
from tests.support.running.engine import Engine

ORGANIZATION = UUID(int=1)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """A store with a fresh database."""
    async with Engine.open(database_url) as opened:
        yield opened


def sessions_of(engine: Engine) -> Sessions:
    return Sessions.open(engine.db, TokenVault([SecretStr("s" * 32)]))


async def test_a_pause_bills_nothing_and_the_beat_tells_of_it(engine: Engine) -> None:
    """4 s, a pause of 7 s, 5 s, another pause until the end: 9 s."""
    fence = await engine.running()
    sessions = sessions_of(engine)
    await engine.pass_seconds(4)
    await sessions.commands.pause(ORGANIZATION, fence.session_id)
    await engine.pass_seconds(2)
    await engine.beat(fence)
    paused = await engine.session(fence.session_id)
    assert 4000 <= paused.usage.billable_ms < 4500, "it doesn't grow either, to be made good for afterwards"
    await engine.pass_seconds(5)
    await sessions.commands.resume(ORGANIZATION, fence.session_id)
    await engine.pass_seconds(5)
    await sessions.commands.pause(ORGANIZATION, fence.session_id)
    await engine.pass_seconds(3)
    answer = await engine.beat(fence)
    await sessions.commands.end(ORGANIZATION, fence.session_id)
    await engine.beat(fence)
    session = await engine.session(fence.session_id)
    assert 9000 <= session.usage.billable_ms < 9500
    first, second = answer.runs[fence.session_id].pauses
    assert first.resumed_at is not None
    assert 7 <= (first.resumed_at - first.paused_at).total_seconds() < 8
    assert second.resumed_at is None


async def test_what_a_beat_billed_past_a_pause_is_free_after_it(engine: Engine) -> None:
    """The pause was stamped, but not committed yet, when the beat was written."""
    fence = await engine.running()
    sessions = sessions_of(engine)
    await engine.pass_seconds(4)
    await engine.beat(fence)
    await sessions.commands.pause(ORGANIZATION, fence.session_id)
    await engine.sql("UPDATE sessions SET paused_at = paused_at - interval '1 s'")
    await sessions.commands.resume(ORGANIZATION, fence.session_id)
    await engine.pass_seconds(5)
    await engine.beat(fence)
    assert 8000 <= (await engine.session(fence.session_id)).usage.billable_ms < 8500


@pytest.mark.parametrize("how", ["taken over", "rejoined"])
async def test_coming_back_into_a_paused_session_makes_nothing_free_after_it(engine: Engine, how: str) -> None:
    """4 s, a pause in which another run takes over, or the room is joined again; 5 s after the resume are billed."""
    fence = await engine.running()
    sessions = sessions_of(engine)
    await engine.pass_seconds(4)
    await sessions.commands.pause(ORGANIZATION, fence.session_id)
    await engine.beat(fence)
    await engine.pass_seconds(60)
    if how == "taken over":
        fence = await engine.takeover(fence.session_id)
    else:
        await engine.beat(fence, joined=False)
        await engine.pass_seconds(2)
    await engine.beat(fence)
    await engine.pass_seconds(10)
    await sessions.commands.resume(ORGANIZATION, fence.session_id)
    await engine.pass_seconds(5)
    await engine.beat(fence)
    assert 9000 <= (await engine.session(fence.session_id)).usage.billable_ms < 9500


async def test_pauses_between_two_beats_are_all_told(engine: Engine) -> None:
    """Notifications may be lost; a session without pauses has none."""
    quiet, fence = await engine.running(), await engine.running()
    sessions = sessions_of(engine)
    for _ in range(3):
        await sessions.commands.pause(ORGANIZATION, fence.session_id)
        await sessions.commands.resume(ORGANIZATION, fence.session_id)
    assert len((await engine.beat(fence)).runs[fence.session_id].pauses) == 3
    assert (await engine.beat(quiet)).runs[quiet.session_id].pauses == ()


async def test_the_frozen_plan_and_salvage_know_the_pauses(engine: Engine) -> None:
    """One that the end found open stays open in both."""
    fence = await engine.running()
    sessions = sessions_of(engine)
    await sessions.commands.pause(ORGANIZATION, fence.session_id)
    await sessions.commands.resume(ORGANIZATION, fence.session_id)
    await sessions.commands.pause(ORGANIZATION, fence.session_id)
    await sessions.commands.end(ORGANIZATION, fence.session_id)
    found = await find_leftover_run(engine.db, fence)
    await engine.runs.seal(fence)
    frozen = await engine.frozen(fence.session_id)
    assert found is not None
    assert [pause.resumed_at is None for pause in found.pauses] == [False, True]
    assert [pause["resumed_at"] is None for pause in frozen.pauses] == [False, True]
    assert frozen.pauses[0]["paused_at"] == found.pauses[0].paused_at.isoformat(timespec="microseconds")


async def test_whoever_finds_a_spool_waits_for_the_pause_that_is_being_committed(engine: Engine) -> None:
    """Its stamp lies before that question, so the audio after it may not be uploaded."""
    fence = await engine.running()
    async with asyncio.TaskGroup() as group, engine.db.begin() as conn:
        locked = await lock_session(conn, fence.session_id)
        assert locked is not None
        await apply(conn, locked, Event.PAUSE)
        finding = group.create_task(find_leftover_run(engine.db, fence))
        await asyncio.sleep(0.3)
        assert not finding.done()
    found = finding.result()
    assert found is not None
    assert [pause.resumed_at for pause in found.pauses] == [None]


async def test_a_pause_that_is_not_committed_in_time_did_not_happen(engine: Engine) -> None:
    """Uploads wait so long after a stamp, and no longer: PostgreSQL ends the transaction."""
    fence = await engine.running()

    async def pause_slowly() -> None:
        async with engine.db.begin() as conn:
            await bound_pausing(conn)
            locked = await lock_session(conn, fence.session_id)
            assert locked is not None
            await apply(conn, locked, Event.PAUSE)
            await asyncio.sleep(COMMIT_SECONDS + 0.3)

    with pytest.raises(DatabaseUnavailableError):
        await pause_slowly()
    assert await engine.status(fence.session_id) == "running"
    assert await engine.sql("SELECT 1 FROM session_pauses") == []
    async with engine.db.begin() as conn:  # nothing of the bound is left on the pool's connections
        await conn.execute(text("SELECT 1"))
        await asyncio.sleep(COMMIT_SECONDS + 0.3)


async def test_a_session_of_another_organization_cannot_be_paused(engine: Engine) -> None:
    """It isn't found."""
    fence = await engine.running()
    with pytest.raises(Exception, match="not_found"):
        await sessions_of(engine).commands.pause(new_uuid(), fence.session_id)
