"""The sweeper moves what is due by time alone."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.stop import Stop
from sessions.settings import Settings
from sessions.texts.timestamps import format_timestamp
from store.sweeping.sweeper import SWEEP_LOCK, SweepResult, sweep
from tests.support.running.engine import Engine

SETTINGS = Settings(
    queue_seconds=300, takeover_window_seconds=600, finalize_retry_seconds=30, finalize_deadline_seconds=86400
)


async def swept(engine: Engine, **options: Any) -> SweepResult:
    result = await sweep(engine.db, SETTINGS, **options)
    assert result.swept
    return result


async def test_a_quiet_database_is_left_alone(engine: Engine) -> None:
    """Nothing is due: nothing moves, no version is raised."""
    await engine.running()
    await engine.new_session()
    before = await engine.sql("SELECT id, version FROM sessions ORDER BY id")

    assert await swept(engine) == SweepResult(swept=True)
    assert await engine.sql("SELECT id, version FROM sessions ORDER BY id") == before


async def test_start_at_queues_a_session(engine: Engine) -> None:
    """Reached: queued; ahead: left alone."""
    due = await engine.new_session(status="created")
    ahead = await engine.new_session(status="created")
    await engine.sql("UPDATE sessions SET start_at = now() + interval '1 h', queued_at = NULL")
    await engine.sql("UPDATE sessions SET start_at = now() WHERE id = :id", id=due)

    assert (await swept(engine)).due == 1
    assert (await engine.status(due), await engine.status(ahead)) == (Status.QUEUED, Status.CREATED)
    assert (await engine.session(due)).queued_at is not None


async def test_a_session_in_the_queue_for_too_long_fails(engine: Engine) -> None:
    """`capacity.none`, never ran: no recording, no job, no token left."""
    session_id = await engine.new_session()
    await engine.pass_seconds(301)

    assert (await swept(engine)).queued_too_long == 1
    session = await engine.session(session_id)
    assert (session.status, session.error_code) == (Status.FAILED, "capacity.none")
    assert (session.failed_at, session.recording_state) == (session.finished_at, "none")
    assert await engine.finalize_jobs(session_id) == 0
    assert await engine.sql("SELECT 1 FROM worker_tokens") == []
    events = await engine.sql("SELECT type FROM session_events WHERE session_id = :id ORDER BY seq", id=session_id)
    assert [event.type for event in events] == ["transcript.none", "session.failed"]


async def test_a_token_that_expires_in_the_queue_fails_its_session(engine: Engine) -> None:
    """Said by its own code, also when the queue was too long besides."""
    session_id = await engine.new_session()
    await engine.sql("UPDATE sessions SET token_expires_at = now()")

    assert (await swept(engine)).token_expired == 1
    assert (await engine.session(session_id)).error_code == "worker_token.expired"


async def test_a_token_that_expires_soon_is_told_once(engine: Engine) -> None:
    """While the session waits, two minutes before; again for the next token, not for one that a worker has."""
    await engine.running()
    session_id, fresh = await engine.new_session(), await engine.new_session()
    await engine.sql(
        "UPDATE sessions SET token_expires_at = now() + interval '121 s', queued_at = now() - interval '9 s'"
    )
    assert (await swept(engine)).token_expiring == 0
    await engine.sql("UPDATE sessions SET token_expires_at = now() + interval '119 s'")
    await engine.sql("UPDATE sessions SET queued_at = now() WHERE id = :id", id=fresh)

    assert [(await swept(engine)).token_expiring for _ in range(2)] == [1, 0]
    told = await engine.sql("SELECT data FROM session_events WHERE type = 'worker_token.expiring'")
    assert [row.data for row in told] == [{"expires_at": (await expiry_of(engine, session_id))}]

    await engine.sql(
        "INSERT INTO session_events (id, session_id, seq, type, at, epoch, data)"
        " VALUES (gen_random_uuid(), :id, 2, 'worker_token.replaced', now(), 0, '{}')",
        id=session_id,
    )
    assert (await swept(engine)).token_expiring == 1


async def expiry_of(engine: Engine, session_id: UUID) -> str:
    """As the API writes it."""
    [row] = await engine.sql("SELECT token_expires_at FROM sessions WHERE id = :id", id=session_id)
    written = format_timestamp(row.token_expires_at)
    assert written is not None
    return written


@pytest.mark.parametrize("lost", [False, True])
async def test_max_duration_ends_a_session_at_its_stamp(engine: Engine, lost: bool) -> None:
    """However late the sweep, the end is `started_at` + max_duration_seconds; with or without a worker."""
    fence = await engine.running(max_duration_seconds=60)
    if lost:
        await engine.claims.release(fence.owner, lost=True)
    await engine.pass_seconds(100)

    assert (await swept(engine)).max_duration == 1
    session = await engine.session(fence.session_id)
    assert (session.status, session.outcome, session.end_reason) == (Status.ENDING, "ended", "end.max_duration")
    assert session.ending_at is not None
    assert session.started_at is not None
    assert (session.ending_at - session.started_at).total_seconds() == 60
    assert await engine.finalize_jobs(fence.session_id) == 1


async def test_a_session_that_nobody_takes_over_fails(engine: Engine) -> None:
    """What ran goes to `ending`, so that what was recorded is kept; what never ran is failed at once."""
    fence = await engine.running(max_duration_seconds=14400)
    never_ran = await engine.new_session()
    await engine.claim()
    await engine.pass_seconds(590)
    assert (await swept(engine)).worker_lost == 0
    await engine.pass_seconds(11)

    assert (await swept(engine)).worker_lost == 2
    session = await engine.session(fence.session_id)
    assert (session.status, session.outcome, session.error_code) == (Status.ENDING, "failed", "worker.lost")
    assert (await engine.session(never_ran)).status is Status.FAILED
    assert await engine.finalize_jobs(fence.session_id) == 1


async def test_after_an_outage_workers_may_beat_before_they_are_judged(engine: Engine) -> None:
    """A sweeper that has only just reached the database again calls nobody lost."""
    await engine.running(max_duration_seconds=14400)
    await engine.pass_seconds(1000)

    assert (await swept(engine, watched_seconds=1)).worker_lost == 0
    assert (await swept(engine, watched_seconds=16)).worker_lost == 1


async def test_an_unfinished_finalize_is_deferred_again(engine: Engine) -> None:
    """Once per `finalize_retry_seconds`, until it commits."""
    fence = await engine.running()
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.sql("UPDATE procrastinate_jobs SET status = 'cancelled'")
    assert (await swept(engine)).finalize_deferred == 0
    await engine.pass_seconds(31)

    assert (await swept(engine)).finalize_deferred == 1
    assert (await swept(engine)).finalize_deferred == 0
    assert await engine.finalize_jobs(fence.session_id) == 1


async def test_finalizing_ends_after_a_day(engine: Engine) -> None:
    """Failed with `storage.write_failed`, and the bill is complete."""
    fence = await engine.running()
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.pass_seconds(86401)

    assert (await swept(engine)).finalize_deadline == 1
    session = await engine.session(fence.session_id)
    assert (session.status, session.error_code) == (Status.FAILED, "storage.write_failed")
    assert [row.kind for row in await engine.bill(fence.session_id)] == ["final"]


async def test_sweepers_at_once_move_each_session_once(engine: Engine) -> None:
    """Several processes sweep: one event per transition, whoever wins."""
    ids = [await engine.new_session() for _ in range(10)]
    await engine.pass_seconds(301)
    results: list[SweepResult] = []

    async def one() -> None:
        results.append(await sweep(engine.db, SETTINGS))

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(one())

    assert sum(result.queued_too_long for result in results) == 10
    for session_id in ids:
        assert await engine.events(session_id) == ["transcript.none", "session.failed"]


async def test_while_one_sweeps_the_others_do_not(engine: Engine) -> None:
    """The advisory lock is tried, never waited for."""
    async with engine.db.begin() as conn:
        await conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({SWEEP_LOCK})")

        assert await sweep(engine.db, SETTINGS) == SweepResult(swept=False)


async def test_a_session_that_somebody_holds_is_left_for_the_next_sweep(engine: Engine) -> None:
    """A sweep waits for no row."""
    session_id = await engine.new_session()
    await engine.pass_seconds(301)
    async with engine.db.begin() as conn:
        await conn.exec_driver_sql("SELECT 1 FROM sessions FOR UPDATE")
        assert await swept(engine) == SweepResult(swept=True)

    assert (await swept(engine)).queued_too_long == 1
    assert await engine.status(session_id) is Status.FAILED


async def test_a_swept_session_is_announced(engine: Engine, database_url: str) -> None:
    """Workers and long polls hear of it when the sweep commits."""
    session_id = await engine.new_session()
    await engine.pass_seconds(301)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listening:
        await listening.execute("LISTEN parley_session")
        await swept(engine)
        heard = [note.payload async for note in listening.notifies(timeout=5, stop_after=1)]

    assert heard == [str(session_id)]


async def test_usage_is_accrued_by_the_sweep(engine: Engine) -> None:
    """Sixty seconds after the last row."""
    fence = await engine.running()
    await engine.pass_seconds(61)
    await engine.beat(fence)

    assert (await swept(engine)).usage_rows == 1
    assert (await swept(engine)).usage_rows == 0
