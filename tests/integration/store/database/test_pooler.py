"""Behind PgBouncer in transaction mode, which gives each transaction whichever connection of the server is free."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from store.database.database import Database
from store.database.notify.notifications import RECONNECTED, Listener, Notification
from store.database.server.connection_terms import STATEMENT_TIMEOUT_MS
from store.database.server.schema import migrate
from store.jobs.patient_connector import PatientConnector
from tests.support.services.pgbouncer import PgBouncer
from tests.support.services.postgres_cluster import PostgresCluster

CLIENTS, ROUNDS = 6, 12  # a statement is prepared when it is sent for the sixth time


@pytest.fixture(scope="module")
def cluster(database_folder: Path) -> Iterator[PostgresCluster]:
    """A migrated PostgreSQL; as databases may, it writes dates in its own way."""
    folder = database_folder / f"pooled-{os.getpid()}"
    cluster = PostgresCluster(folder)
    cluster.start()
    migrate(cluster.url)
    with psycopg.connect(cluster.url, autocommit=True) as conn:
        conn.execute("ALTER DATABASE parley SET datestyle = 'German'")
        conn.execute("ALTER DATABASE parley SET timezone = 'Asia/Kathmandu'")
        conn.execute("ALTER DATABASE parley SET default_transaction_isolation = 'serializable'")
        conn.execute("ALTER DATABASE parley SET intervalstyle = 'iso_8601'")
        conn.execute("ALTER DATABASE parley SET bytea_output = 'escape'")
        conn.execute("CREATE SCHEMA apart")
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture
def pooler(cluster: PostgresCluster, database_folder: Path) -> Iterator[PgBouncer]:
    """In front of it, with two connections."""
    folder = database_folder / f"b-{os.getpid()}"
    with PgBouncer(folder, cluster.folder, connections=2) as pooler:
        yield pooler
    shutil.rmtree(folder)


@pytest.fixture(params=["direct", "pooled"])
def url(request: pytest.FixtureRequest, cluster: PostgresCluster, pooler: PgBouncer) -> str:
    """Both ways to the same database."""
    return cluster.url if request.param == "direct" else pooler.url


async def test_repeated_statements_are_not_mixed_up(url: str) -> None:
    """Many clients, few connections, and more repetitions than it takes to have a statement prepared."""
    async with Database.open(url, timeout_seconds=10, application_name="test", pool_size=CLIENTS) as db:

        async def client(number: int) -> None:
            for round_ in range(ROUNDS):
                async with db.begin() as conn:
                    asked = {"a": number, "b": round_}
                    found = await conn.execute(text("SELECT CAST(:a AS integer) * 1000 + CAST(:b AS integer)"), asked)
                    assert found.scalar_one() == number * 1000 + round_
                    await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(client(number))
        async with db.begin() as conn:
            prepared = (await conn.execute(text("SELECT count(*) FROM pg_prepared_statements"))).scalar_one()
    assert (prepared > 0) == ("port=6432" not in url)


async def test_each_transaction_finds_what_it_relies_on(url: str) -> None:
    """Whatever the database prefers; what the URL's options say holds, too."""
    asked = {
        "DateStyle": "ISO",
        "TimeZone": "UTC",
        "client_encoding": "UTF8",
        "IntervalStyle": "postgres",
        "transaction_isolation": "read committed",
        "bytea_output": "hex",
        "search_path": "apart,public",
        "statement_timeout": f"{STATEMENT_TIMEOUT_MS // 1000}s",
    }
    url = f"{url}&options=-c%20search_path%3Dapart,public"
    query = text("SELECT " + ", ".join(f"current_setting('{name}')" for name in asked))
    async with Database.open(url, timeout_seconds=10, application_name="test", pool_size=CLIENTS) as db:
        for _ in range(3):
            async with db.begin() as conn:
                found = list((await conn.execute(query)).one())
            found[0] = found[0].split(",")[0]
            assert found == list(asked.values())


async def test_nothing_of_it_stays_on_connections_that_others_use(pooler: PgBouncer) -> None:
    """Another application behind the same pooler keeps its own timeouts."""
    async with Database.open(pooler.url, timeout_seconds=10, application_name="test", pool_size=2) as db:
        for _ in range(4):
            await db.ping()
    with psycopg.connect(pooler.url, autocommit=True) as conn:
        assert conn.execute("SHOW statement_timeout").fetchone() == ("0",)


async def test_listening_takes_the_direct_way(cluster: PostgresCluster, pooler: PgBouncer) -> None:
    """With a direct URL notifications come; without one nobody listens in vain, and nothing is left on the pooler."""
    direct = SecretStr(cluster.url)
    async with (
        Listener.open(pooler.url, direct_url=direct, channels=["a"]) as listener,
        Listener.open(pooler.url, channels=["a"], application_name="in vain") as in_vain,
        asyncio.timeout(10),
    ):
        heard = aiter(listener)
        assert (await anext(heard)).channel == RECONNECTED
        waiting = asyncio.ensure_future(anext(aiter(in_vain)))
        with psycopg.connect(cluster.url, autocommit=True) as conn:
            conn.execute("NOTIFY a, 'b'")
            assert await anext(heard) == Notification("a", "b")
            await asyncio.sleep(0.3)
            assert conn.execute("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' LIMIT 2").fetchall() == [
                (1,)
            ]
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait({waiting})


async def test_the_job_queue_prepares_nothing(pooler: PgBouncer) -> None:
    """Procrastinate's own connections, too."""
    connector = PatientConnector(SecretStr(pooler.url), None)
    await connector.open_async()
    try:
        for number in range(ROUNDS):
            row = await connector.execute_query_one_async("SELECT %(number)s::int AS number, now()", number=number)
            assert row["number"] == number
        row = await connector.execute_query_one_async("SELECT count(*) AS prepared FROM pg_prepared_statements")
        assert row["prepared"] == 0
    finally:
        await connector.close_async()
