"""Whether a database is one that Parley can work on; what is wrong with it, and what to do, in a sentence each."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from store.database.terms import ConnectionTerms

OLDEST_VERSION = 170000
_CONNECT_SECONDS = 10
_CLOCKS_APART_SECONDS = 5.0

_FACTS = """
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_number,
        current_setting('server_encoding') AS encoding, current_user AS role, current_database() AS database,
        current_schema() AS schema, current_setting('search_path') AS search_path,
        pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS creates,
        EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql') AS plpgsql,
        (SELECT string_agg(DISTINCT relname, ', ') FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
                AND relname IN ('sessions', 'runs', 'usage_events', 'procrastinate_jobs')
                AND NOT has_table_privilege(oid, 'SELECT, INSERT, UPDATE, DELETE')) AS forbidden,
        extract(epoch FROM clock_timestamp())::float AS at
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        good: whether Parley can work with it.
        essential: without it not even the schema can be made.
        text: what was found; where it is not good, what to do about it too.
    """

    good: bool
    essential: bool
    text: str


def examine(url: str) -> Iterator[Finding]:
    """Look at a database, which is only read. Blocking, for as long as connecting takes.

    Args:
        url: libpq's.
    """
    try:
        terms = ConnectionTerms.of(url)
    except psycopg.Error:  # its text repeats the URL, password and all
        yield Finding(False, True, "The database's URL can't be read: it should look like postgresql://user@host/name.")
        return
    ours = {"application_name": "parley doctor", "client_encoding": "UTF8", "prepare_threshold": None}
    options: dict[str, Any] = {**terms.conninfo, **ours, "connect_timeout": _CONNECT_SECONDS}
    try:
        with psycopg.connect(**options, autocommit=True, row_factory=dict_row) as conn:
            for name, value in terms.asked.items():
                conn.execute("SELECT set_config(%s, %s, false)", (name, value))
            before = time.time()
            facts = conn.execute(_FACTS).fetchone()
            assert facts is not None
            facts["apart"] = facts["at"] - (before + time.time()) / 2
    except psycopg.Error as error:
        yield Finding(False, True, f"The database can't be used: {first_line(error)}.")
        return
    for check in _CHECKS:
        yield check(facts)


def first_line(error: BaseException) -> str:
    """What PostgreSQL or libpq says, without the rest."""
    return (str(error).strip().partition("\n")[0] or type(error).__name__).rstrip(".")


def _version(facts: DictRow) -> Finding:
    if facts["version_number"] >= OLDEST_VERSION:
        return Finding(True, True, f"PostgreSQL {facts['version']}.")
    return Finding(False, True, f"This is PostgreSQL {facts['version']}: Parley needs 17 or newer.")


def _encoding(facts: DictRow) -> Finding:
    if facts["encoding"] == "UTF8":
        return Finding(True, True, "Its encoding is UTF8.")
    return Finding(
        False,
        True,
        f"The encoding of database {facts['database']} is {facts['encoding']}, which can't hold every text: make a"
        f" database with CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8', and name that one.",
    )


def _writable(facts: DictRow) -> Finding:
    if facts["standby"]:
        return Finding(False, True, "This server is a standby, which takes no writes: name the writer.")
    if facts["read_only"]:
        return Finding(
            False,
            True,
            "Transactions are read-only here (default_transaction_read_only): ALTER ROLE … or ALTER DATABASE … SET"
            " default_transaction_read_only = off; at a hosted PostgreSQL, look whether its disk is full.",
        )
    return Finding(True, True, "It takes writes.")


def _schema(facts: DictRow) -> Finding:
    if facts["schema"] is None:
        return Finding(False, True, f"No schema of search_path ({facts['search_path']}) exists: CREATE SCHEMA one.")
    if facts["creates"]:
        return Finding(True, True, f"Role {facts['role']} may make tables in schema {facts['schema']}.")
    return Finding(
        False,
        True,
        f"Role {facts['role']} may not make tables in schema {facts['schema']}: GRANT CREATE ON SCHEMA"
        f" {facts['schema']} TO {facts['role']}, or give it a schema of its own.",
    )


def _tables(facts: DictRow) -> Finding:
    if facts["forbidden"] is None:
        return Finding(True, False, "Its tables, where there are some, can be read and written.")
    return Finding(
        False,
        False,
        f"Role {facts['role']} may not read and write {facts['forbidden']}: run as the role that migrated, or GRANT"
        f" SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {facts['schema']} TO {facts['role']}.",
    )


def _language(facts: DictRow) -> Finding:
    if facts["plpgsql"]:
        return Finding(True, True, "It has PL/pgSQL, and needs no extension besides.")
    return Finding(False, True, "PL/pgSQL is missing: CREATE EXTENSION plpgsql.")


def _clock(facts: DictRow) -> Finding:
    apart = facts["apart"]
    if abs(apart) <= _CLOCKS_APART_SECONDS:
        return Finding(True, False, f"Its clock and this host's are less than {_CLOCKS_APART_SECONDS:.0f} s apart.")
    direction = "ahead of" if apart > 0 else "behind"
    return Finding(
        False,
        False,
        f"Its clock is {abs(apart):.0f} s {direction} this host's: run NTP on both (Parley goes by the database's).",
    )


_CHECKS: tuple[Callable[[dict[str, Any]], Finding], ...] = (
    *(_version, _encoding, _writable, _schema, _tables, _language),
    _clock,
)
