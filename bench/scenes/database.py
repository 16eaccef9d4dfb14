"""PostgreSQL for the benchmarks: fresh migrated databases on a given server, or on an embedded one."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from parley.servers.embedded_postgres import EmbeddedPostgres
from store.database.server.schema import migrate


@contextlib.contextmanager
def postgres(configured_url: str | None, folder: Path) -> Iterator[str]:
    """A maintenance URL."""
    if configured_url is not None:
        yield configured_url
        return
    with EmbeddedPostgres(folder / "pg") as url:
        yield url


@contextlib.contextmanager
def fresh_database(maintenance_url: str) -> Iterator[str]:
    """The URL of a migrated database of its own; dropped afterwards."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(maintenance_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = _with_database(maintenance_url, name)
    try:
        migrate(url)
        yield url
    finally:
        with psycopg.connect(maintenance_url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_database(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
