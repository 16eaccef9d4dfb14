"""Bringing a database to the newest schema, and refusing to work on an old one."""

import threading
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from sqlalchemy import NullPool, create_engine, text

from sessions.errors import DatabaseRefusedError, ParleyError
from store.database.database import Database
from store.database.server.connection_terms import ConnectionTerms

_NO_SUCH_TABLE = "42P01"
_MIGRATIONS = Path(__file__).parents[1] / "migrations"
MIGRATION_LOCK = 0x7061726C6579  # "parley"

# Alembic's context is global to the process: two upgrades at once in one process hang.
_one_at_a_time = threading.Lock()


class SchemaOutdatedError(ParleyError):
    """The database's schema is not the one that this version of Parley was written for."""

    def __init__(self, present: str | None, needed: str) -> None:
        found = f"revision {present}" if present else "no revision"
        super().__init__("internal", f"the database schema is at {found}, {needed} is needed: run `parley migrate`")


def migrate(url: SecretStr | str) -> None:
    """Bring the database to the newest revision. Blocking; harmless when others do the same."""
    conninfo = url.get_secret_value() if isinstance(url, SecretStr) else url
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(conninfo),
        poolclass=NullPool,
    )
    from alembic import command  # only who migrates needs it: it is 15 MB
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with _one_at_a_time, engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _connect(conninfo: str) -> "psycopg.Connection[Any]":
    terms = ConnectionTerms.of(conninfo, application_name="parley migrate")
    conn = psycopg.connect(**{**terms.conninfo, "connect_timeout": 10, "prepare_threshold": None}, autocommit=True)
    conn.execute(terms.unbounded.encode())
    conn.autocommit = False
    return conn


async def check_schema(db: Database) -> None:
    """Return when the schema is the newest.

    Raises:
        SchemaOutdatedError: it is older, newer or missing; its text names `parley migrate`.
    """
    needed = newest_revision()
    try:
        async with db.begin() as conn:
            present = (await conn.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    except DatabaseRefusedError as error:
        if error.sqlstate != _NO_SUCH_TABLE:
            raise
        present = None
    if present != needed:
        raise SchemaOutdatedError(present, needed)


def newest_revision() -> str:
    """The revision that this code is written for: files are named after theirs, in their order."""
    return max(path.name.partition("_")[0] for path in _MIGRATIONS.glob("versions/[0-9]*.py"))
