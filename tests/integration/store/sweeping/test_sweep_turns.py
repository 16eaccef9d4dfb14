"""Sweepers take turns, judge only what they have watched, and read hardly more than what is due."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause

from sessions.lifecycle.lifecycle import Status
from sessions.settings import Settings
from store.sweeping import sweeper
from store.sweeping.sweeper import Sweeper
from store.usage.ledger import ACCRUED_AT_ONCE
from tests.support.running.engine import Engine

SETTINGS = Settings(heartbeat_seconds=0.01, stalled_seconds=0.03)

_RUNNING = """
    WITH made AS (
        INSERT INTO sessions (id, organization_id, kind, status, epoch, url, room_key, room_name, worker_identity,
            quality, multiplier, max_duration_seconds, idle_timeout_seconds, layout, on_pause, agent_id, created_at,
            updated_at, started_at, running_since, ledger_at)
        SELECT gen_random_uuid(), :org, 'voice', 'running', 1, 'ws://rooms.example', 'rooms.example:80', 'room-' || i,
            'worker', 'standard', 1, 14400, 30, 'mono', 'silence', 'agent', now(), now(), now(), now(), now()
        FROM generate_series(1, :count) AS i RETURNING id
    )
    INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at, joined_at, billed_at, billable_ms)
    SELECT id, 1, gen_random_uuid(), 'host', now(), now() + interval '1 hour', now(), now(), 1000 FROM made
"""


async def _run_many(engine: Engine, count: int) -> None:
    await engine.sql(_RUNNING, count=count, org=UUID(int=1))
    await engine.sql("ANALYZE sessions, runs")


async def _later(engine: Engine, seconds: float, *concerns: str) -> None:
    """Let time pass for what was swept."""
    await engine.sql(
        "UPDATE sweeps SET swept_at = swept_at - make_interval(secs => :seconds) WHERE concern = ANY(:concerns)",
        seconds=seconds,
        concerns=list(concerns),
    )


async def test_one_process_sweeps_per_turn(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes first; the others find that it has been done."""
    monkeypatch.setattr(sweeper, "_TURN_SECONDS", 3600)  # however long a busy machine takes for three
    processes = [Sweeper(engine.db, SETTINGS) for _ in range(3)]
    assert [(await one.sweep()).swept for one in processes] == [True, False, False]
    await _later(engine, 3601, "sweep")
    assert [(await one.sweep()).swept for one in reversed(processes)] == [True, False, False]


async def test_a_clock_that_was_put_back_stops_no_sweep(engine: Engine) -> None:
    """A stamp from the future is no reason to wait for it."""
    process = Sweeper(engine.db, SETTINGS)
    assert (await process.sweep()).swept
    await _later(engine, -3600, "sweep")
    assert (await process.sweep()).swept


async def test_a_process_that_has_only_just_come_judges_nobody(engine: Engine) -> None:
    """The database was away for longer than the takeover window: the first sweep after it fails no session."""
    fence = await engine.running(max_duration_seconds=14400)
    await engine.pass_seconds(1000)
    judge = Sweeper(engine.db, SETTINGS)
    assert (await judge.sweep()).worker_lost == 0
    assert await engine.status(fence.session_id) is Status.RUNNING
    found = 0
    for _ in range(200):
        await _later(engine, 1, "sweep")
        found = (await judge.sweep()).worker_lost
        if found:
            break
    assert found == 1
    assert (await engine.session(fence.session_id)).error_code == "worker.lost"


async def test_all_that_runs_is_looked_at_more_seldom(engine: Engine) -> None:
    """Usage twelve times per interval, unless more is due than one transaction writes."""
    await _run_many(engine, ACCRUED_AT_ONCE + 1)
    await engine.sql("UPDATE sessions SET ledger_at = now() - interval '3601 seconds'")
    process = Sweeper(engine.db, SETTINGS.model_copy(update={"usage_interval_seconds": 3600}))
    rows = []
    for _ in range(3):
        rows.append((await process.sweep()).usage_rows)
        await _later(engine, 1, "sweep")
    assert rows == [ACCRUED_AT_ONCE, 1, 0]
    await engine.sql("UPDATE sessions SET ledger_at = now() - interval '3601 seconds'")
    await engine.sql("UPDATE runs SET billable_ms = 2000")
    assert (await process.sweep()).usage_rows == 0
    await _later(engine, 300, "sweep", "usage")
    assert (await process.sweep()).usage_rows == ACCRUED_AT_ONCE


@pytest.mark.parametrize("query", ["_DUE", "_MAX_DURATION", "_TOKEN_EXPIRED", "_QUEUED_TOO_LONG", "_UNFINALIZED"])
async def test_what_is_looked_at_every_second_reads_what_is_due(engine: Engine, query: str) -> None:
    """At 5,000 running sessions, a handful of blocks."""
    await _run_many(engine, 5000)
    statement: TextClause = getattr(sweeper, query)
    values: dict[str, Any] = dict.fromkeys(re.findall(r"(?<!:):(\w+)", statement.text), 300)
    [row] = await engine.sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.text}", **values)
    plan = row[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20
