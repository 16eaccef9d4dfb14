"""Failures of PostgreSQL have names, and what is not known to have happened is said so."""

import asyncio
import time

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseRefusedError, DatabaseUnavailableError
from store.database.database import CommitUnknown, Database

NOBODY = "postgresql://parley@127.0.0.1:1/parley"


async def kill(db: Database, victim: AsyncConnection) -> None:
    """Cut a connection, as a restart of the server does, and wait until it is gone."""
    pid = (await victim.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with db.begin() as conn:
        await conn.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


async def write_after_the_loss(db: Database) -> None:
    async with db.begin() as conn:
        await kill(db, conn)
        await conn.execute(text("SELECT 1"))


async def test_nobody_listening_is_said_by_its_code() -> None:
    """503 to clients, to be tried again."""
    async with Database.open(NOBODY, timeout_seconds=2, application_name="test") as db:
        with pytest.raises(DatabaseUnavailableError) as refused:
            await db.ping()

    assert (refused.value.code, refused.value.extra) == ("database.unavailable", {"retry_after_seconds": 1})


async def test_the_hook_brings_the_server_back_and_connecting_goes_on(database_url: str) -> None:
    """Called once per refused connection; what it raises nobody else has to know."""
    calls: list[str] = []
    async with Database.open(
        NOBODY, timeout_seconds=2, application_name="test", reconnect=lambda: calls.append("called")
    ) as db:
        with pytest.raises(DatabaseUnavailableError):
            await db.ping()

    assert calls == ["called"]


async def test_a_connection_lost_within_a_transaction_has_written_nothing(database_url: str) -> None:
    """The transaction is over, and the next one finds a new connection."""
    async with Database.open(database_url, timeout_seconds=5, application_name="test") as db:
        with pytest.raises(DatabaseUnavailableError) as lost:
            await write_after_the_loss(db)
        await db.ping()

    assert not isinstance(lost.value, CommitUnknown)


async def test_a_connection_lost_at_the_commit_leaves_it_unknown(database_url: str) -> None:
    """`commit.unknown`: whoever asked has to look."""
    async with Database.open(database_url, timeout_seconds=5, application_name="test") as db:
        with pytest.raises(CommitUnknown) as lost:
            async with db.begin() as conn:
                await kill(db, conn)
        await db.ping()

    assert lost.value.code == "commit.unknown"


async def test_idle_connections_that_died_are_noticed(database_url: str) -> None:
    """A restart between two uses costs nobody an error."""
    async with (
        Database.open(database_url, timeout_seconds=5, application_name="test", pool_size=1) as db,
        Database.open(database_url, timeout_seconds=5, application_name="killer") as killer,
    ):
        async with db.begin() as conn:
            pid = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        async with killer.begin() as conn:
            await conn.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        await db.ping()


async def test_what_takes_too_long_is_given_up(database_url: str) -> None:
    """Bounded by the timeout, and the connection's place in the pool is free again."""
    async with Database.open(database_url, timeout_seconds=0.5, application_name="test", pool_size=1) as db:
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailableError):
            async with db.begin() as conn:
                await conn.execute(text("SELECT pg_sleep(30)"))
        assert time.monotonic() - started < 10

        async with asyncio.timeout(10), db.begin(timeout_seconds=10) as conn:
            await conn.execute(text("SELECT 1"))


async def test_a_full_pool_is_unavailable_in_time(database_url: str) -> None:
    """Whoever gets no connection is not left waiting."""
    async with (
        Database.open(database_url, timeout_seconds=0.5, application_name="test", pool_size=1) as db,
        db.begin(timeout_seconds=10),
    ):
        with pytest.raises(DatabaseUnavailableError):
            await db.ping()


async def test_a_violated_constraint_is_no_outage(database_url: str) -> None:
    """It is told as what it is, and nothing is written."""
    async with Database.open(database_url, timeout_seconds=5, application_name="test") as db:
        with pytest.raises(DatabaseRefusedError) as refused:
            async with db.begin() as conn:
                await conn.execute(
                    text(
                        "INSERT INTO organizations VALUES (gen_random_uuid(), 'a', 'x'), (gen_random_uuid(), 'a', 'x')"
                    )
                )
        async with db.begin() as conn:
            assert (await conn.execute(text("SELECT count(*) FROM organizations"))).scalar_one() == 0
    assert (refused.value.sqlstate, refused.value.constraint) == ("23505", "uq_organizations_name")


async def test_connections_are_bounded_on_the_server_too(database_url: str) -> None:
    """Statements and transactions end after 10 s whoever forgets them."""
    async with Database.open(database_url, timeout_seconds=5, application_name="test") as db, db.begin() as conn:
        rows = (
            await conn.execute(
                text("SELECT current_setting('statement_timeout'), current_setting('transaction_timeout')")
            )
        ).one()

    assert tuple(rows) == ("10s", "10s")


async def test_the_clocks_are_paired(database_url: str) -> None:
    """The same instant on both."""
    async with Database.open(database_url, timeout_seconds=5, application_name="test") as db:
        pair = await db.clock()

    assert 0 < pair.uncertainty_ns < 1_000_000_000
    later = pair.boottime_ns + 1_500_000_000
    assert (pair.db_time_at(later) - pair.db_time).total_seconds() == 1.5
