"""What each SQLSTATE of PostgreSQL means to whoever asked: one table, for the API and the workers alike.

The classes are those of PostgreSQL's documentation, appendix A; a code of its own goes before its class.
"""

from enum import Enum, auto

import psycopg


class Verdict(Enum):
    """What to do about an error."""

    AWAY = auto()
    """The server can't serve now, or is not the one to ask: 503, and the connection is thrown away."""

    BUSY = auto()
    """Somebody else was in the way, and nothing was written: the same again may well succeed."""

    OURS = auto()
    """The statement is wrong, or isn't allowed here: a bug, or a role without rights. 500."""


READ_ONLY = "25006"
MIXED_UP = ("26000", "42P05")  # prepared statements of another connection

_VERDICTS = {
    "08": Verdict.AWAY,  # connections; also what PgBouncer says when it has no server
    "0A": Verdict.OURS,
    "22": Verdict.OURS,
    "23": Verdict.OURS,  # constraints; callers that expect one ask for its name
    "25": Verdict.OURS,
    READ_ONLY: Verdict.AWAY,  # demoted, a standby, or its disk is full at a hosted PostgreSQL
    "25P03": Verdict.AWAY,  # the server ended a transaction that was idle, and its connection
    "25P04": Verdict.AWAY,  # the same for one that took too long
    "26": Verdict.AWAY,  # a prepared statement is gone: another server's connection under ours
    "28": Verdict.AWAY,  # passwords are changed under running processes; the next connection may get in
    "3D": Verdict.AWAY,  # the same for a database that is being restored
    "40": Verdict.BUSY,  # serialization failure, deadlock, conflict with recovery
    "40003": Verdict.AWAY,  # whether the statement happened is not known
    "42": Verdict.OURS,
    "42P05": Verdict.AWAY,  # as 26: a prepared statement is there that we did not make
    "53": Verdict.AWAY,  # disk full, out of memory, too many connections
    "54": Verdict.OURS,
    "55": Verdict.AWAY,  # "recovery is in progress", "not accepting connections"
    "55006": Verdict.BUSY,
    "55P03": Verdict.BUSY,  # lock_timeout, NOWAIT
    "57": Verdict.AWAY,  # shutdown, starting up, dropped, idle for too long; 57014: too slow to wait for
    "58": Verdict.AWAY,  # input and output, files
    "72": Verdict.BUSY,  # snapshot too old
    "F0": Verdict.AWAY,  # its configuration, its lock file
    "XX": Verdict.AWAY,  # internal errors, damaged data and indexes; poolers of hosts say it of themselves
}


def verdict_on(error: psycopg.Error) -> Verdict:
    """What to do about `error`. An unknown code is ours; what comes without any from libpq is a lost server."""
    code = error.sqlstate
    if code is None:
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Verdict.AWAY if lost else Verdict.OURS
    return _VERDICTS.get(code) or _VERDICTS.get(code[:2], Verdict.OURS)
