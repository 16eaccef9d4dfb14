"""The bound of a transaction holds whatever the server does, and costs the pool nothing."""

import asyncio
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from sessions.errors import DatabaseUnavailableError
from store.database.database import CommitUnknown, Database
from store.database.server.connection_terms import CLIENT_CHECK_MS
from store.database.time_bound import database_time_bound
from tests.support.network.loopback import silent_server
from tests.support.services.postgres_cluster import PostgresCluster

BOUND_SECONDS = 2.0
GRACE_SECONDS = 1.0  # of a busy machine, until a task that is due runs
POOL_SIZE = 3

SLOW_COMMIT = """
    CREATE TABLE written (number integer);
    CREATE FUNCTION wait_a_second() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON written DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait_a_second();
"""


@pytest.fixture(scope="module")
def cluster(database_folder: Path) -> Iterator[PostgresCluster]:
    """A PostgreSQL that these tests freeze, and thaw again."""
    folder = database_folder / f"bound-{os.getpid()}"
    cluster = PostgresCluster(folder)
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def db(cluster: PostgresCluster) -> AsyncIterator[Database]:
    """A pool on a server that may be frozen."""
    async with _open(cluster.url) as db:
        await _use_whole_pool(db)
        yield db


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[Database]:
    async with Database.open(
        url, timeout_seconds=BOUND_SECONDS, application_name="bounded", pool_size=POOL_SIZE
    ) as database:
        yield database


async def _seconds(ask: Callable[[], Awaitable[object]], error: type[DatabaseUnavailableError]) -> float:
    """How long `ask` took to raise `error`."""
    began = time.monotonic()
    with pytest.raises(error) as raised:
        await ask()
    assert type(raised.value) is error
    return time.monotonic() - began


async def _use_whole_pool(db: Database) -> None:
    """As many transactions at once as the pool has connections."""
    together = asyncio.Barrier(POOL_SIZE)

    async def one() -> None:
        async with db.begin(timeout_seconds=10) as conn:
            await conn.execute(text("SELECT 1"))
            await together.wait()

    async with asyncio.timeout(10):
        await asyncio.gather(*(one() for _ in range(POOL_SIZE)))


async def _activity(cluster: PostgresCluster) -> list[tuple[str, str]]:
    """State and query of the pool's connections, as the server sees them."""
    async with await psycopg.AsyncConnection.connect(cluster.url, autocommit=True) as conn:
        rows = await conn.execute("SELECT state, query FROM pg_stat_activity WHERE application_name = 'bounded'")
        return [(str(state), str(query)) for state, query in await rows.fetchall()]


async def _until_idle(cluster: PostgresCluster) -> None:
    """Every connection of the pool is between transactions, soon after the server goes on."""
    deadline = time.monotonic() + CLIENT_CHECK_MS / 1000 + 5
    while any(state != "idle" for state, _ in await _activity(cluster)):
        assert time.monotonic() < deadline, await _activity(cluster)
        await asyncio.sleep(0.05)


async def test_a_server_that_freezes_between_transactions(cluster: PostgresCluster, db: Database) -> None:
    """The check of a pooled connection, and the wait for one: many more ask than there are connections."""
    with cluster.frozen():
        took = await asyncio.gather(*(_seconds(db.ping, DatabaseUnavailableError) for _ in range(4 * POOL_SIZE)))
        took += await asyncio.gather(*(_seconds(db.ping, DatabaseUnavailableError) for _ in range(4 * POOL_SIZE)))
    await _use_whole_pool(db)

    assert max(took) <= BOUND_SECONDS + GRACE_SECONDS
    await _until_idle(cluster)


async def test_a_server_that_freezes_in_a_query(cluster: PostgresCluster, db: Database) -> None:
    """No cancel is waited for, and the server itself ends what nobody waits for any more."""

    async def query() -> None:
        async with db.begin() as conn:
            await conn.execute(text("SELECT pg_sleep(600)"))

    asking = [asyncio.create_task(_seconds(query, DatabaseUnavailableError)) for _ in range(POOL_SIZE)]
    await asyncio.sleep(0.3)
    with cluster.frozen():
        took = await asyncio.gather(*asking)
    await _use_whole_pool(db)

    assert max(took) <= BOUND_SECONDS + GRACE_SECONDS
    await _until_idle(cluster)


async def test_a_server_that_freezes_before_the_rollback(cluster: PostgresCluster, db: Database) -> None:
    """The block's time ran out elsewhere, or it raised: its rollback has no time of its own."""

    async def elsewhere() -> None:
        async with db.begin() as conn:
            await conn.execute(text("CREATE TABLE left_behind (number integer)"))
            cluster.freeze()
            await asyncio.sleep(60)

    async def refused() -> None:
        async with db.begin() as conn:
            await conn.execute(text("SELECT 1"))
            cluster.freeze()
            raise KeyError

    for block in (elsewhere, refused):
        async with asyncio.timeout(BOUND_SECONDS + GRACE_SECONDS):
            with pytest.raises((DatabaseUnavailableError, KeyError)):
                await block()
        cluster.thaw()
        await _use_whole_pool(db)

    await _until_idle(cluster)
    async with db.begin() as conn:
        assert (await conn.execute(text("SELECT to_regclass('left_behind')"))).scalar_one() is None


async def test_a_server_that_freezes_in_the_commit(cluster: PostgresCluster, db: Database) -> None:
    """Unknown, in time: and it happens, as the server had been told to."""
    async with db.begin() as conn:
        await conn.exec_driver_sql(SLOW_COMMIT)

    async def write() -> None:
        async with db.begin() as conn:
            await conn.execute(text("INSERT INTO written VALUES (1)"))

    writing = asyncio.create_task(_seconds(write, CommitUnknown))
    await asyncio.sleep(0.3)
    with cluster.frozen():
        took = await writing
    await _use_whole_pool(db)

    assert took <= BOUND_SECONDS + GRACE_SECONDS
    await _until_idle(cluster)
    async with db.begin() as conn:
        rows = (await conn.execute(text("SELECT number FROM written"))).all()
    assert len(rows) <= 1  # all or nothing


async def test_servers_that_never_connect() -> None:
    """One takes connections and says nothing, one doesn't even take them."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        full = [socket.socket() for _ in range(2)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        async with silent_server() as silent_port:
            for port in (silent_port, deaf.getsockname()[1]):
                async with _open(f"postgresql://parley@127.0.0.1:{port}/parley") as db:
                    took = await asyncio.gather(
                        *(_seconds(db.ping, DatabaseUnavailableError) for _ in range(3 * POOL_SIZE))
                    )
                assert max(took) <= BOUND_SECONDS + GRACE_SECONDS
        for one in full:
            one.close()


async def test_transactions_of_one_asker_share_a_bound(database_url: str) -> None:
    """The second has what the first left; time between them is not the database's."""
    most = BOUND_SECONDS * 0.7
    async with _open(database_url) as db:
        await _use_whole_pool(db)

        async def sleep() -> None:
            async with db.begin() as conn:
                await conn.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": most})

        with database_time_bound(BOUND_SECONDS):
            await sleep()
            left = db.seconds_left()
            assert left <= BOUND_SECONDS - most
            await asyncio.sleep(left)
            assert await _seconds(sleep, DatabaseUnavailableError) <= left + GRACE_SECONDS
            assert await _seconds(db.ping, DatabaseUnavailableError) <= GRACE_SECONDS
            with database_time_bound(BOUND_SECONDS):
                await db.ping()
        await sleep()
