"""The schema: what migrations make is what the code says, and nobody works on another."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from store.database import Database
from store.schema import SchemaOutdatedError, check_schema, migrate, newest_revision
from store.tables import metadata


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


def test_several_migrate_at_once(empty_database_url: str) -> None:
    """The first one makes the schema, the others find it."""
    with ThreadPoolExecutor(4) as pool:
        for outcome in [pool.submit(migrate, empty_database_url) for _ in range(4)]:
            outcome.result(timeout=60)

    with psycopg.connect(empty_database_url) as conn:
        row = conn.execute("SELECT version_num FROM alembic_version").fetchall()
    assert row == [(newest_revision(),)]


async def test_an_old_schema_is_refused_with_the_command_to_run(empty_database_url: str) -> None:
    """Also when there is none at all."""
    async with Database.open(empty_database_url, timeout_seconds=5, application_name="test") as db:
        with pytest.raises(SchemaOutdatedError, match="parley migrate"):
            await check_schema(db)
        migrate(empty_database_url)
        await check_schema(db)
