"""What PostgreSQL's errors come to, each raised by a real server: 503 on a new connection, repeated, or 500."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from sessions.errors import DatabaseBusyError, DatabaseError, DatabaseRefusedError, DatabaseUnavailableError
from store.database.database import Database
from store.database.server.write_proof import prove_writer

AWAY = (
    *("08000", "08001", "08003", "08004", "08006", "08P01", "25006", "25P03", "25P04", "26000", "28000", "28P01"),
    *("3D000", "40003", "42P05", "53000", "53100", "53200", "53300", "53400", "55000", "55P02", "57000", "57014"),
    *("57P01", "57P02", "57P03", "57P04", "57P05", "58000", "58030", "58P01", "58P02", "F0000", "F0001"),
    *("XX000", "XX001", "XX002"),
)
BUSY = ("40000", "40001", "40002", "40P01", "55006", "55P03", "72000")
OURS = (
    *("01000", "0A000", "22001", "22003", "22P02", "23502", "23503", "23505", "23514", "25001", "25P02", "2D000"),
    *("34000", "38000", "42501", "42601", "42703", "42P01", "44000", "54000", "54001", "HV000", "P0001", "ZZ999"),
)
EXPECTED = {
    **dict.fromkeys(AWAY, DatabaseUnavailableError),
    **dict.fromkeys(BUSY, DatabaseBusyError),
    **dict.fromkeys(OURS, DatabaseRefusedError),
}


async def test_each_code_is_decided(common_database_url: str) -> None:
    """By its error; and only a connection whose server says that it is away is not used again."""
    came: dict[str, tuple[type[DatabaseError], bool]] = {}
    async with Database.open(common_database_url, timeout_seconds=5, application_name="test", pool_size=1) as db:
        for sqlstate in EXPECTED:
            before = await _pid(db)
            with pytest.raises(DatabaseError) as raised:
                await _raise(db, sqlstate)
            came[sqlstate] = (type(raised.value), await _pid(db) != before)

    assert came == {sqlstate: (error, sqlstate in AWAY) for sqlstate, error in EXPECTED.items()}


@pytest.mark.parametrize("sqlstate", ["25006", "40001", "23505"])
async def test_it_does_not_matter_who_sent_the_statement(common_database_url: str, sqlstate: str) -> None:
    """Procrastinate's statements run on our connections without SQLAlchemy."""
    async with Database.open(common_database_url, timeout_seconds=5, application_name="test", pool_size=1) as db:
        before = await _pid(db)
        with pytest.raises(EXPECTED[sqlstate]):
            await _raise_past_sqlalchemy(db, sqlstate)
        after = await _pid(db)

    assert (before != after) == (sqlstate in AWAY)


async def test_a_writer_that_was_demoted_loses_all_its_connections_at_once(common_database_url: str) -> None:
    """Else each of them would cost a request, once the name leads to another server."""
    async with Database.open(common_database_url, timeout_seconds=5, application_name="test", pool_size=4) as db:
        before = await _pids(db, 4)
        with pytest.raises(DatabaseUnavailableError):
            await _raise(db, "25006")
        after = await _pids(db, 4)

    assert not before & after


async def test_a_server_without_writes_is_no_writer(database_url: str) -> None:
    """Reads are answered by it, and by a standby, all the same."""
    async with Database.open(database_url, timeout_seconds=5, application_name="test") as db:
        await prove_writer(db)
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
    async with Database.open(database_url, timeout_seconds=5, application_name="test") as db:
        await db.ping()
        with pytest.raises(DatabaseUnavailableError):
            await prove_writer(db)
        async with db.begin() as conn:
            assert (await conn.execute(text("SELECT count(*) FROM sweeps"))).scalar_one() == 0


def _raising(sqlstate: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{sqlstate}'; END $$"


async def _raise(db: Database, sqlstate: str) -> None:
    async with db.begin() as conn:
        await conn.execute(text(_raising(sqlstate)))


async def _raise_past_sqlalchemy(db: Database, sqlstate: str) -> None:
    async with db.begin() as conn:
        raw = (await conn.get_raw_connection()).driver_connection
        assert isinstance(raw, psycopg.AsyncConnection)
        await raw.execute(_raising(sqlstate).encode())


async def _pid(db: Database) -> int:
    async with db.begin() as conn:
        pid: int = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    return pid


async def _pids(db: Database, count: int) -> set[int]:
    """Of so many connections that are used at the same time."""
    together = asyncio.Barrier(count)

    async def one() -> int:
        async with db.begin() as conn:
            pid: int = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            await together.wait()
        return pid

    async with asyncio.timeout(10):
        return set(await asyncio.gather(*(one() for _ in range(count))))
