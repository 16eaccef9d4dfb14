"""What every connection of ours relies on: its server's settings, set by us whatever role, database and server prefer.

Behind a pooler in transaction mode each transaction may run on another connection of the server. What PgBouncer
carries over by itself is set once per connection; the rest once on a connection to the server itself, and in each
transaction behind a pooler, so that nothing is left on a connection that others use, too.
"""

import re
from dataclasses import dataclass
from typing import Any, Self

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

STATEMENT_TIMEOUT_MS = 10_000
CLIENT_CHECK_MS = 1_000  # a statement whose client has closed the connection ends within so long

# Without these a connection whose host vanished hangs for minutes, a cancel included.
_NETWORK: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

_CARRIED = {"client_encoding": "UTF8", "DateStyle": "ISO", "TimeZone": "UTC", "standard_conforming_strings": "on"}
_BOUND = {
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "transaction_timeout": str(STATEMENT_TIMEOUT_MS),
    "lock_timeout": "0",
    "client_connection_check_interval": str(CLIENT_CHECK_MS),
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
}
_IN_OPTIONS = re.compile(r"(?:^|\s)(?:-c\s*|--)([A-Za-z_][\w.-]*)=((?:\\.|\S)*)")


@dataclass(frozen=True, slots=True)
class ConnectionTerms:
    """Where to connect, and what to set there.

    Attributes:
        conninfo: keywords of libpq, without the settings in `options`, which PgBouncer would refuse.
        asked: settings of the server that the URL has in its `options` (`-c search_path=parley`).
    """

    conninfo: dict[str, Any]
    asked: dict[str, str]

    @classmethod
    def of(cls, url: str, **defaults: Any) -> Self:
        """Those of a libpq URL; `defaults` are keywords that it may override."""
        given = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
        options = str(given.pop("options", ""))
        asked = {name.replace("-", "_"): re.sub(r"\\(.)", r"\1", value) for name, value in _IN_OPTIONS.findall(options)}
        if rest := _IN_OPTIONS.sub("", options).strip():
            given["options"] = rest
        return cls({**_NETWORK, **defaults, **given}, asked)

    @property
    def at_first(self) -> str:
        """What to send on each new connection. Its one row has the process id of the server's side."""
        return "; ".join(["SELECT pg_backend_pid()", *(_set(name, value) for name, value in _CARRIED.items())])

    @property
    def once(self) -> str:
        """What to send after it on a connection to the server itself."""
        return "; ".join(_set(name, value) for name, value in {**_BOUND, **self.asked}.items())

    @property
    def unbounded(self) -> str:
        """What to send instead on a connection whose statements may take long, or are another library's."""
        return "; ".join([self.at_first, *(_set(name, value) for name, value in self.asked.items())])

    @property
    def per_transaction(self) -> str:
        """What to send at the beginning of each transaction behind a pooler."""
        wanted = {**_BOUND, **self.asked}
        return "SELECT " + ", ".join(f"set_config({_quoted(name)}, {_quoted(wanted[name])}, true)" for name in wanted)


def _set(name: str, value: str) -> str:
    return f"SELECT set_config({_quoted(name)}, {_quoted(value)}, false)"


def _quoted(text: str) -> str:
    return sql.Literal(text).as_string()
