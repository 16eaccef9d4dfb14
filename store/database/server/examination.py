"""Whether a database is one that Parley can work on; what is wrong with it, and what to do, in a sentence each."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from store.database.server.connection_terms import ConnectionTerms

OLDEST_VERSION = 170000
_CONNECT_SECONDS = 10
_CLOCKS_APART_SECONDS = 5.0

_FACTS = """
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_number,
        current_setting('server_encoding') AS encoding, current_database() AS database,
        quote_ident(current_user) AS role, quote_ident(current_database()) AS quoted_database,
        quote_ident(current_schema()) AS schema, current_setting('search_path') AS search_path,
        pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only,
        (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only_by,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS creates,
        EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql') AS plpgsql,
        EXISTS (SELECT FROM pg_class WHERE relnamespace = quote_ident(current_schema())::regnamespace
                AND relname = 'alembic_version') AS migrated,
        (SELECT array_agg(relname::text ORDER BY relname) FROM pg_class
            WHERE relnamespace = quote_ident(current_schema())::regnamespace
                AND (relname IN ('sessions', 'runs', 'usage_events', 'alembic_version')
                     OR relname LIKE 'procrastinate%')
                AND (relkind = 'r' AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                         AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
                     OR relkind = 'S' AND NOT has_sequence_privilege(oid, 'USAGE'))) AS forbidden,
        extract(epoch FROM clock_timestamp())::float AS at
"""


_EXAMPLE = "postgresql://user@host:5432/name"
_NOT_CONNECTED = re.compile(
    r'connection to server (?:at|on socket) "(?P<host>[^"]+)"(?: \([^)]*\))?(?P<port>, port \d+)?'
    r" failed: (?P<fatal>FATAL:\s+)?(?P<cause>.*)"
)
_LOOK = "Look whether PostgreSQL runs there and is reached from this host, and whether the URL names it."
_ADVICE = {  # in PostgreSQL's English; in other languages its own words have to do
    r'database ("[^"]+") does not exist': "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C', or name"
    " another one at the URL's end.",
    r'role ("[^"]+") does not exist': "CREATE ROLE {} LOGIN, or name another one in the URL.",
    r"password authentication failed": "The URL's password is another one; what is no letter or digit has to be"
    " percent-encoded there.",
    r"no pg_hba.conf entry": "A line of the server's pg_hba.conf has to let this host, role and database in.",
    r'permission denied for database ("[^"]+")': "GRANT CONNECT ON DATABASE {} TO the URL's role.",
    r"sorry, too many clients|remaining connection slots": "Raise max_connections, or put a pooler in front.",
}


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
    except psycopg.Error as error:
        yield Finding(False, True, f"The URL can't be read{_safe_reason(error)}: it looks like {_EXAMPLE}.")
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
        yield Finding(False, True, _no_connection(first_line(error)))
        return
    for check in _CHECKS:
        yield check(facts)


def first_line(error: BaseException) -> str:
    """What PostgreSQL or libpq says, without the rest."""
    return (str(error).strip().partition("\n")[0] or type(error).__name__).rstrip(".")


def _safe_reason(error: psycopg.Error) -> str:
    """Other reasons repeat the URL, password and all."""
    found = re.match(r'invalid URI query parameter: "\w+"', first_line(error))
    return f" ({found[0]})" if found else ""


def _no_connection(said: str) -> str:
    """What libpq says, and what to do about it."""
    found = _NOT_CONNECTED.search(said)
    if found is None:
        return f"No connection to the database: {said}. {_LOOK}"
    where, refused, cause = f"{found['host']}{found['port'] or ''}", found["fatal"], found["cause"]
    if not refused:
        return f"No connection to {where}: {cause}. {_LOOK}"
    for pattern, advice in _ADVICE.items():
        if what := re.match(pattern, cause):
            return f"The server at {where} refuses: {cause}. {advice.format(*what.groups())}"
    return f"The server at {where} refuses: {cause}."


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
        f"The encoding of database {facts['database']} is {facts['encoding']}, which can't hold every text: make"
        f" another one (CREATE DATABASE parley TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'), and name it in the URL.",
    )


def _writable(facts: DictRow) -> Finding:
    if facts["standby"]:
        return Finding(False, True, "This server is a standby, which takes no writes: name the writer.")
    if facts["read_only"]:
        whose = {"user": f"ROLE {facts['role']}", "database": f"DATABASE {facts['quoted_database']}"}
        place = whose.get(facts["read_only_by"], "SYSTEM")
        return Finding(
            False,
            True,
            f"Transactions are read-only here: SET default_transaction_read_only = off; ALTER {place} SET"
            " default_transaction_read_only = off; at a hosted PostgreSQL, look first whether its disk is full.",
        )
    return Finding(True, True, "It takes writes.")


def _schema(facts: DictRow) -> Finding:
    role, schema = facts["role"], facts["schema"]
    if schema is None:
        names = [name.strip() for name in facts["search_path"].split(",")]
        missing = next((name for name in names if name not in ('"$user"', "")), role)
        text = f"No schema of search_path ({facts['search_path']}) exists, or may be used: CREATE SCHEMA {missing}"
        return Finding(False, True, f"{text} AUTHORIZATION {role}.")
    if facts["creates"]:
        return Finding(True, True, f"Role {role} may make tables in schema {schema}.")
    text = f"Role {role} may not make tables in schema {schema}"
    if facts["migrated"]:
        return Finding(True, True, f"{text}: the role that owns them has to run `parley migrate`.")
    return Finding(False, True, f"{text}: GRANT CREATE ON SCHEMA {schema} TO {role}.")


def _tables(facts: DictRow) -> Finding:
    if not facts["migrated"]:
        return Finding(True, False, "It has no tables of Parley's yet: `parley migrate` makes them.")
    if facts["forbidden"] is None:
        return Finding(True, False, "Its tables can be read and written.")
    role, schema, names = facts["role"], facts["schema"], facts["forbidden"]
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return Finding(
        False,
        False,
        f"Role {role} may not use {names[0]}{others}: run as the role that migrated, or as that one GRANT SELECT,"
        f" INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA"
        f" {schema} TO {role}.",
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
