"""The sweep of transcripts, summaries and files on a real PostgreSQL: lost work is deferred once, deadlines kept."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from sessions.settings import Settings
from store.sweeping.sweeper import sweep
from tests.support.running.engine import Engine

SETTINGS = Settings(finalize_retry_seconds=30, speech_deadline_seconds=3600)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """A store of its own."""
    async with Engine.open(database_url) as one:
        yield one


async def transcript(
    engine: Engine, *, state: str = "pending", created: float = 0, attempted: float | None = None
) -> UUID:
    """A session that is over, its transcript made and last attempted so many seconds ago."""
    session_id = await engine.new_session("ended")
    await engine.sql(
        "INSERT INTO transcripts (session_id, state, created_at, attempted_at) VALUES (:id, :state,"
        " now() - make_interval(secs => :created), now() - make_interval(secs => :attempted))",
        id=session_id,
        state=state,
        created=created,
        attempted=attempted,
    )
    return session_id


async def summary(
    engine: Engine, *, state: str = "generating", requested: float = 0, attempted: float | None = None
) -> UUID:
    """A session that is over, its summary asked for and last attempted so many seconds ago."""
    session_id = await engine.new_session("ended")
    await engine.sql(
        "INSERT INTO summaries (session_id, run_id, state, requested_at, attempted_at) VALUES (:id, :id, :state,"
        " now() - make_interval(secs => :requested), now() - make_interval(secs => :attempted))",
        id=session_id,
        state=state,
        requested=requested,
        attempted=attempted,
    )
    return session_id


async def jobs(engine: Engine) -> list[tuple[str, str]]:
    """Task and session of every job that waits."""
    rows = await engine.sql(
        "SELECT task_name, args->>'session_id' FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"
    )
    return [(str(task), str(session_id)) for task, session_id in rows]


async def row(engine: Engine, session_id: UUID) -> tuple[Any, ...]:
    """What became of a transcript."""
    [found] = await engine.sql(
        "SELECT state, code, finished_at IS NOT NULL, attempts FROM transcripts WHERE session_id = :id", id=session_id
    )
    return tuple(found)


async def test_a_lost_transcript_is_deferred_once(engine: Engine) -> None:
    """Nobody tried for finalize_retry_seconds: its job is there again, and not once more in the next rounds."""
    lost = await transcript(engine, created=31)
    tried = await transcript(engine, created=100, attempted=31)
    await transcript(engine, created=15)
    await transcript(engine, created=100, attempted=15)
    for state in ("available", "incomplete"):
        await transcript(engine, state=state, created=100)
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 2
    expected = {("transcripts.transcribe", str(session_id)) for session_id in (lost, tried)}
    assert expected == set(await jobs(engine))
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 0
    assert len(await jobs(engine)) == 2
    assert await row(engine, lost) == ("pending", None, False, 0)


async def test_a_job_that_waits_is_not_doubled(engine: Engine) -> None:
    """Also when nobody takes it for longer than finalize_retry_seconds."""
    lost = await transcript(engine, created=31)
    for _ in range(3):
        await sweep(engine.db, SETTINGS)
        await engine.sql("UPDATE transcripts SET attempted_at = attempted_at - interval '31 seconds'")
    assert [("transcripts.transcribe", str(lost))] == await jobs(engine)


async def test_a_lost_summary_is_deferred_once(engine: Engine) -> None:
    """The same for a run that nobody makes."""
    lost = await summary(engine, requested=31)
    tried = await summary(engine, requested=100, attempted=31)
    await summary(engine, requested=15)
    await summary(engine, requested=100, attempted=15)
    for state in ("available", "failed"):
        await summary(engine, state=state, requested=100)
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 2
    assert {("summaries.summarize", str(session_id)) for session_id in (lost, tried)} == set(await jobs(engine))
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 0
    assert len(await jobs(engine)) == 2


async def test_a_transcript_is_abandoned_after_twice_its_deadline(engine: Engine) -> None:
    """No speech process came: it is closed with the reason, and the finalize job that deletes the segments deferred."""
    given_up = await transcript(engine, created=2 * 3600 + 1, attempted=1)
    late = await transcript(engine, created=2 * 3600 - 30, attempted=1)  # its own job will close it
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 1
    assert await row(engine, given_up) == ("incomplete", "speech.deadline", True, 0)
    assert await row(engine, late) == ("pending", None, False, 0)
    assert [("recordings.finalize", str(given_up))] == await jobs(engine)
    await sweep(engine.db, SETTINGS)
    assert len(await jobs(engine)) == 1


async def test_two_sweepers_defer_nothing_twice(engine: Engine) -> None:
    """Every API and every supervisor sweeps."""
    await transcript(engine, created=31)
    await summary(engine, requested=31)
    async with asyncio.TaskGroup() as group:
        sweeps = [group.create_task(sweep(engine.db, SETTINGS)) for _ in range(6)]
    assert sum(one.result().outputs_deferred for one in sweeps) == 2
    assert len(await jobs(engine)) == 2


async def file(
    engine: Engine, *, state: str = "pending", requested: float = 0, attempted: float | None = None, attempts: int = 0
) -> UUID:
    """A session that is over, a file of it asked for and last attempted so many seconds ago."""
    session_id = await engine.new_session("ended")
    await engine.sql(
        "INSERT INTO recording_files (session_id, identity, format, state, requested_at, attempted_at, attempts)"
        " VALUES (:id, '', 'opus', :state, now() - make_interval(secs => :requested),"
        " now() - make_interval(secs => :attempted), :attempts)",
        id=session_id,
        state=state,
        requested=requested,
        attempted=attempted,
        attempts=attempts,
    )
    return session_id


async def test_lost_files_are_deferred_once_and_ever_more_seldom(engine: Engine) -> None:
    """Nobody tried for finalize_retry_seconds times one more than it was tried."""
    lost = await file(engine, requested=31)
    tried = await file(engine, requested=100, attempted=61, attempts=1)
    await file(engine, requested=100, attempted=40, attempts=1)
    for state in ("available", "failed"):
        await file(engine, state=state, requested=100)
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 2
    assert {("recordings.make_files", str(session_id)) for session_id in (lost, tried)} == set(await jobs(engine))
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 0


async def test_files_that_nobody_makes_are_given_up(engine: Engine) -> None:
    """After the finalize deadline, so that the segments can go: the finalize job deletes them."""
    abandoned = await file(engine, requested=SETTINGS.finalize_deadline_seconds + 1)
    assert (await sweep(engine.db, SETTINGS)).outputs_deferred == 1
    [found] = await engine.sql("SELECT state FROM recording_files WHERE session_id = :id", id=abandoned)
    assert found.state == "failed"
    assert await jobs(engine) == [("recordings.finalize", str(abandoned))]
