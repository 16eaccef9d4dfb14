"""A connection that waits for the server until its deadline and no longer, whatever the server does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen

from store.database.server.connection_terms import ConnectionTerms

_Result = TypeVar("_Result")

_INTERVAL_SECONDS = 0.1  # between looks at whether the socket has been closed under us
_DEADLINE: ContextVar[float | None] = ContextVar("database_deadline", default=None)


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Connections wait until `deadline` (the loop's time, seconds) in this block and in the tasks it starts."""
    before = _DEADLINE.get()
    _DEADLINE.set(deadline if before is None else min(before, deadline))
    try:
        yield
    finally:
        _DEADLINE.set(before)  # not by a token: fixtures end in another context than they begin in


class AnswerTimeout(psycopg.OperationalError):
    """The server did not answer until the deadline; the connection is closed."""


async def connect_bounded(terms: ConnectionTerms, *, prepares: bool = True, **options: Any) -> "BoundedConnection":
    """A new connection in autocommit, on which everything is set as it should be.

    It looks for a pooler: that introduces itself by a process id of its own making. Behind one nothing is prepared, as
    a statement is prepared in one connection of the server, and executed in whichever.

    Args:
        prepares: statements that are repeated; they take the server half the time or less (measured).
        options: keywords of libpq that win over the terms'.

    Raises:
        psycopg.Error: refused; with `AnswerTimeout` the deadline has come.
    """
    try:
        async with asyncio.timeout_at(_DEADLINE.get()):
            conn = await BoundedConnection.connect(**{**terms.conninfo, **options}, autocommit=True)
    except TimeoutError:
        raise AnswerTimeout("the database took no connection in time") from None
    try:
        row = await (await conn.execute(terms.at_first.encode())).fetchone()
        await conn.set_isolation_level(psycopg.IsolationLevel.READ_COMMITTED)  # said by each BEGIN
        conn.pooled = row != (conn.info.backend_pid,)
        if conn.pooled or not prepares:
            conn.prepare_threshold = None
        if not conn.pooled:
            await conn.execute(terms.once.encode())
    except BaseException:
        with suppress(psycopg.Error):
            await conn.close()
        raise
    return conn


class BoundedConnection(psycopg.AsyncConnection[Any]):
    """Every wait of it passes here: for queries, for COMMIT and ROLLBACK, and for the check of a pooled connection.

    A wait that comes to its deadline, or is canceled, closes the socket there and then. psycopg would ask the server to
    cancel and wait up to 10 s for what it says, and a rollback would wait for ever. The server ends what was left
    within `CLIENT_CHECK_MS` (store.database.server.connection_terms), as it looks whether its client is still there.
    """

    pooled = False  # behind a pooler: not necessarily the server's connection of the transaction before

    async def wait(
        self, gen: PQGen[_Result], interval: float = _INTERVAL_SECONDS, timeout: float | None = None
    ) -> _Result:
        """What `gen` returns.

        Raises:
            AnswerTimeout: the deadline has come; the connection is closed.
        """
        try:
            async with asyncio.timeout_at(_DEADLINE.get()):
                return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except TimeoutError:
            self.pgconn.finish()
            raise AnswerTimeout("the database did not answer in time") from None
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise
