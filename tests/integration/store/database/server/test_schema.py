"""The schema: what migrations make is what the code says, and nobody works on another."""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from store.database.database import Database
from store.database.server.schema import MIGRATION_LOCK, SchemaOutdatedError, check_schema, migrate, newest_revision
from store.database.tables import metadata


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without anything."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    head, _, query = postgres_url.partition("?")
    yield f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_migrations_make_the_tables_of_the_code(database_url: str) -> None:
    """Nothing is missing or too much, Procrastinate's tables aside."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or not str(name).startswith("procrastinate")},
        )
        differences = [
            change
            for change in compare_metadata(context, metadata)
            if not str(getattr(change[1], "name", "")).startswith("alembic")
        ]
    engine.dispose()

    assert differences == []


def test_several_processes_migrate_at_once(empty_database_url: str) -> None:
    """The first one makes the schema, the others find it."""
    code = "import sys; from store.database.server.schema import migrate; migrate(sys.argv[1])"
    command = [sys.executable, "-c", code]
    processes = [subprocess.Popen([*command, empty_database_url]) for _ in range(3)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    with psycopg.connect(empty_database_url) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest_revision(),)]


def test_a_migration_waits_for_another(empty_database_url: str) -> None:
    """Held off before it has made anything, and done as soon as the other one is."""
    with psycopg.connect(empty_database_url, autocommit=True) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        migrating = pool.submit(migrate, empty_database_url)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not migrating.done() and not waiting(other):
            time.sleep(0.02)
        held_off = waiting(other)
        other.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
        migrating.result(timeout=60)

        assert held_off
        assert other.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def waiting(conn: psycopg.Connection) -> bool:
    """Whether somebody waits for an advisory lock of this database."""
    rows = conn.execute(
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    return bool(rows.fetchall())


def test_several_threads_migrate_at_once(empty_database_url: str) -> None:
    """Alembic's context is global to the process; nobody waits for ever."""
    with ThreadPoolExecutor(3) as pool:
        for outcome in [pool.submit(migrate, empty_database_url) for _ in range(3)]:
            outcome.result(timeout=60)


async def test_an_old_schema_is_refused_with_the_command_to_run(empty_database_url: str) -> None:
    """Also when there is none at all."""
    async with Database.open(empty_database_url, timeout_seconds=5, application_name="test") as db:
        with pytest.raises(SchemaOutdatedError, match="parley migrate"):
            await check_schema(db)
        migrate(empty_database_url)
        await check_schema(db)
