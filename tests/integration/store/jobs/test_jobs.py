"""Jobs: deferred with our transaction or not at all, never twice, run again whatever happens to the worker."""

import asyncio
import json
import logging
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from procrastinate.jobs import Notification
from procrastinate.manager import JobManager
from pydantic import SecretStr

from sessions.ids import new_uuid
from store.database.server.schema import migrate
from store.jobs import job_rescue
from store.jobs.deferring import (
    FINALIZE,
    PURGE_IDEMPOTENCY,
    PURGE_JOBS,
    RETENTION,
    SHORT_QUEUE,
    defer_erase,
    defer_finalize,
)
from store.jobs.jobs import open_jobs, run_jobs
from store.jobs.patient_connector import PatientConnector
from store.jobs.periodic import defer_periodic
from store.jobs.purge import purge_idempotency_keys
from tests.integration.store.store_services import StoreServices, store_services
from tests.support.services.postgres_cluster import PostgresCluster


@pytest.fixture
def own_cluster(database_folder: Path) -> Iterator[PostgresCluster]:
    """A PostgreSQL that the test may stop and start."""
    folder = database_folder / f"jobs-{os.getpid()}"
    cluster = PostgresCluster(folder)
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


async def _jobs(store: StoreServices) -> list[tuple[str, str]]:
    rows = await store.execute("SELECT status::text, args->>'session_id' FROM procrastinate_jobs ORDER BY id")
    return [(status, session_id) for status, session_id in rows]


@asynccontextmanager
async def running_jobs(url: str, task: Callable[[UUID], Awaitable[None]], **options: float) -> AsyncIterator[None]:
    """The loop of a job process, stopped at the end of the block."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_jobs(url, {FINALIZE: task}, stopping, **options))  # type: ignore[arg-type]
        try:
            yield
        finally:
            stopping.set()


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 what is waited for happens in the database
            await asyncio.sleep(0.05)


async def test_a_job_exists_if_and_only_if_its_transaction_commits(database_url: str) -> None:
    """Rolled back with our rows, committed with our rows."""
    async with store_services(database_url) as store:
        kept, lost = new_uuid(), new_uuid()
        async with store.db.begin() as conn:
            assert await defer_finalize(conn, lost)
            await conn.rollback()
        async with store.db.begin() as conn:
            assert await defer_finalize(conn, kept)
        assert await _jobs(store) == [("todo", str(kept))]


async def test_a_job_is_what_procrastinate_itself_would_have_deferred(database_url: str) -> None:
    """Column by column; ours is one of its functions, called without its code."""
    columns = "queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at, status, attempts"
    async with store_services(database_url) as store:
        session_id = new_uuid()
        async with store.db.begin() as conn:
            assert await defer_finalize(conn, session_id)
        ours = await store.execute(f"SELECT {columns} FROM procrastinate_jobs")
        await store.execute("DELETE FROM procrastinate_jobs")
        async with open_jobs(database_url, {}).open_async() as app:
            task = app.configure_task(
                FINALIZE, queue=SHORT_QUEUE, lock=f"session-{session_id}", queueing_lock=f"finalize-{session_id}"
            )
            await task.defer_async(session_id=str(session_id))
        assert ours == await store.execute(f"SELECT {columns} FROM procrastinate_jobs")


async def test_deferring_again_neither_piles_up_nor_ends_the_transaction(database_url: str) -> None:
    """In another transaction and in the same; what else the transaction does is kept."""
    async with store_services(database_url) as store:
        session_id = new_uuid()
        async with store.db.begin() as conn:
            assert await defer_finalize(conn, session_id)
        async with store.db.begin() as conn:
            assert not await defer_finalize(conn, session_id)
            assert not await defer_finalize(conn, session_id)
            other = new_uuid()
            assert await defer_finalize(conn, other)
        assert await _jobs(store) == [("todo", str(session_id)), ("todo", str(other))]


async def test_two_jobs_of_one_session_run_one_after_the_other(database_url: str) -> None:
    """One deferred while the first runs waits for it; another session's doesn't."""
    session_id, other = new_uuid(), new_uuid()
    log: list[str] = []
    hold = asyncio.Event()

    async def task(which: UUID) -> None:
        name = "one" if which == session_id else "other"
        log.append(f"{name} begins")
        if name == "one":
            await hold.wait()
        log.append(f"{name} ends")

    async with store_services(database_url) as store, running_jobs(database_url, task):
        async with store.db.begin() as conn:
            await defer_finalize(conn, session_id)
        await _until(_is(lambda: "one begins" in log))
        async with store.db.begin() as conn:
            assert await defer_finalize(conn, session_id)
            await defer_finalize(conn, other)
        await _until(_is(lambda: "other ends" in log))
        assert log == ["one begins", "other begins", "other ends"]
        hold.set()
        await _until(_is(lambda: len(log) == 6))
        assert log[3:] == ["one ends", "one begins", "one ends"]
        await _until(_no_jobs(store))


async def test_a_failed_job_is_logged_without_secrets_and_does_not_block_the_next(
    database_url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error's token is redacted; deferred again, the job runs again."""
    attempts: list[UUID] = []

    async def task(session_id: UUID) -> None:
        attempts.append(session_id)
        if len(attempts) == 1:
            raise RuntimeError("failed with eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ3In0.c2ln")

    session_id = new_uuid()
    async with store_services(database_url) as store, running_jobs(database_url, task):
        async with store.db.begin() as conn:
            await defer_finalize(conn, session_id)
        await _until(_jobs_are(store, [("failed", str(session_id))]))
        async with store.db.begin() as conn:
            assert await defer_finalize(conn, session_id)
        await _until(_is(lambda: len(attempts) == 2))
    captured = capsys.readouterr()
    assert "in task" in captured.out, "where it failed"
    assert "eyJ" not in caplog.text + captured.out + captured.err
    assert logging.getLogger("procrastinate").level == logging.WARNING


async def test_a_job_of_a_killed_process_is_run_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is marked as running by a worker that is silent: it is freed, and holds its session's lock no longer."""
    monkeypatch.setattr(job_rescue, "_SILENT_SECONDS", 1.0)
    monkeypatch.setattr(job_rescue.rescue_jobs, "__kwdefaults__", {"every_seconds": 0.2})
    session_id, done = new_uuid(), asyncio.Event()

    async def task(which: UUID) -> None:
        assert which == session_id
        done.set()

    async with store_services(database_url) as store:
        async with store.db.begin() as conn:
            await defer_finalize(conn, session_id)
        await store.execute(
            """
            WITH dead AS (
                INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id)
            UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM dead)
            """
        )
        async with store.db.begin() as conn:
            assert await defer_finalize(conn, session_id)
        async with running_jobs(database_url, task), asyncio.timeout(20):
            await done.wait()
            await _until(_no_jobs(store))


async def test_a_job_for_later_waits_by_the_clock_of_the_database(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which fetches it; Procrastinate would go by that of the host that defers."""
    monkeypatch.setattr("procrastinate.utils.utcnow", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    async with store_services(database_url) as store:
        async with store.db.begin() as conn:
            await defer_erase(conn, new_uuid(), in_seconds=600)
        [(seconds,)] = await store.execute(
            "SELECT extract(epoch FROM scheduled_at - clock_timestamp())::float FROM procrastinate_jobs"
        )

    assert 500 < seconds <= 600


async def test_the_worker_is_started_again_when_it_returns(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Procrastinate's worker ends without an error at times; jobs deferred afterwards run all the same."""
    from procrastinate.worker import Worker

    starts: list[Any] = []
    original: Any = Worker.run

    async def short_lived(self: Worker) -> None:
        starts.append(self)
        await original(self)

    monkeypatch.setattr(Worker, "run", short_lived)
    done = asyncio.Event()

    async def task(_session_id: UUID) -> None:
        done.set()

    async with store_services(database_url) as store, running_jobs(database_url, task), asyncio.timeout(20):
        await _until(_is(lambda: len(starts) == 1 and starts[0].worker_id is not None))
        starts[0].stop()
        await _until(_is(lambda: len(starts) == 2 and starts[1].worker_id is not None))
        async with store.db.begin() as conn:
            await defer_finalize(conn, new_uuid())
        await done.wait()


async def test_whatever_a_stranger_notifies_procrastinate_looks_for_jobs_and_listens_on(database_url: str) -> None:
    """Every role of the database may notify on its channels, too; one that it can't read would end its listening."""
    heard: list[Notification] = []

    async def on_notification(*, channel: str, notification: Notification) -> None:
        assert channel
        heard.append(notification)

    connector = PatientConnector(SecretStr(database_url), None)
    payloads = ("", "x", "[]", "{}", "[" * 7900, json.dumps({"type": "abort_job_requested", "job_id": 1}))
    async with store_services(database_url) as store, asyncio.TaskGroup() as group:
        manager = JobManager(connector)
        listening = group.create_task(manager.listen_for_jobs(on_notification=on_notification, queues=[SHORT_QUEUE]))
        await _until(_is(lambda: len(heard) == 1))
        for payload in payloads:
            await store.execute(f"SELECT pg_notify('procrastinate_queue_v1#{SHORT_QUEUE}', '{payload}')")
        await _until(_is(lambda: len(heard) == 1 + len(payloads)))
        listening.cancel()
    assert {notification["type"] for notification in heard} == {"job_inserted"}


async def test_jobs_go_on_after_postgresql_was_away(own_cluster: PostgresCluster) -> None:
    """A running job is not canceled by the restart, and new ones are taken afterwards."""
    await asyncio.to_thread(migrate, own_cluster.url)
    survived, hold, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    first, second = new_uuid(), new_uuid()
    begun: list[UUID] = []

    async def task(session_id: UUID) -> None:
        begun.append(session_id)
        if session_id == first:
            await hold.wait()
            survived.set()
        else:
            done.set()

    async with store_services(own_cluster.url) as store, running_jobs(own_cluster.url, task):
        async with store.db.begin() as conn:
            await defer_finalize(conn, first)
        await _until(_is(lambda: begun == [first]))
        await asyncio.to_thread(own_cluster.stop)
        await asyncio.sleep(2)  # the outage itself
        await asyncio.to_thread(own_cluster.start)
        async with store.db.begin() as conn:
            await defer_finalize(conn, second)
        async with asyncio.timeout(30):
            await done.wait()
            hold.set()
            await survived.wait()
        await _until(_no_jobs(store))


async def test_a_statement_of_the_worker_waits_for_postgresql(own_cluster: PostgresCluster) -> None:
    """While it is away the connector doesn't raise, however short the pool's own patience is."""
    connector = PatientConnector(SecretStr(own_cluster.url), None, pool_seconds=0.2)
    await connector.open_async()
    try:
        await asyncio.to_thread(own_cluster.stop)
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(connector.execute_query_one_async("SELECT 7 AS seven"))
            await asyncio.wait({answer}, timeout=1.5)
            assert not answer.done()
            await asyncio.to_thread(own_cluster.start)
            async with asyncio.timeout(20):
                assert await answer == {"seven": 7}
    finally:
        await connector.close_async()


async def test_a_connection_whose_server_is_no_writer_any_more_is_not_asked_again(database_url: str) -> None:
    """As after a failover that leaves the old server running, which closes nothing."""
    connector = PatientConnector(SecretStr(database_url), None)
    await connector.open_async()
    try:
        await connector.execute_query_async("SET default_transaction_read_only = on")
        async with asyncio.timeout(20):
            found = await connector.execute_query_one_async("SHOW transaction_read_only")
        assert found == {"transaction_read_only": "off"}
    finally:
        await connector.close_async()


async def test_old_idempotency_rows_are_purged(database_url: str) -> None:
    """A day after, whether answered or not; younger ones stay."""
    async with store_services(database_url) as store:
        for key in ("old", "new"):
            await store.idempotency.begin(store.organization_id, "POST /", key, b"f")
        await store.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'")
        async with open_jobs(database_url, {}).open_async() as app:
            await purge_idempotency_keys(app)
        assert await store.execute("SELECT key FROM idempotency_keys") == [("new",)]


async def test_periodic_jobs_are_deferred_once_when_they_are_due(database_url: str) -> None:
    """Whoever asks, and however often; each has a task. Erasing what is over, only where that is asked for."""

    async def expire() -> None:
        pass

    async with store_services(database_url) as store:
        assert await defer_periodic(store.db, retention=False) == 2
        assert await defer_periodic(store.db, retention=True) == 1
        assert await defer_periodic(store.db, retention=True) == 0
        rows = await store.execute("SELECT task_name, queue_name FROM procrastinate_jobs ORDER BY 1")
        assert rows == [(RETENTION, "short"), (PURGE_IDEMPOTENCY, "short"), (PURGE_JOBS, "short")]
        assert {name for name, _ in rows} <= set(open_jobs(database_url, {}, expire=expire).tasks)
        await store.execute("UPDATE procrastinate_periodic_defers SET defer_timestamp = defer_timestamp - 86400")
        assert await defer_periodic(store.db, retention=True) == 3

    assert RETENTION not in open_jobs(database_url, {}).tasks


def _is(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return condition()

    return check


def _jobs_are(store: StoreServices, expected: list[tuple[str, str]]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await _jobs(store) == expected

    return check


def _no_jobs(store: StoreServices) -> Callable[[], Awaitable[bool]]:
    return _jobs_are(store, [])
