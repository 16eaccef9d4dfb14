"""The one way to PostgreSQL: an engine, transactions whose failures have names, and its clock."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import psycopg
import structlog
from pydantic import SecretStr
from sqlalchemy import ExceptionContext, event, exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from sessions.errors import DatabaseBusyError, DatabaseRefusedError, DatabaseUnavailableError
from sessions.texts.redaction import redact
from store.database.bounded_connection import AnswerTimeout, BoundedConnection, connect_bounded, until
from store.database.clock import ClockPair, pair_clocks
from store.database.server.connection_terms import ConnectionTerms
from store.database.sqlstates import MIXED_UP, READ_ONLY, Verdict, verdict_on
from store.database.time_bound import counted, seconds_left

_LOG_EVERY_SECONDS = 10.0

_log = structlog.get_logger(__name__)


class CommitUnknown(DatabaseUnavailableError):  # noqa: N818 named after its code, commit.unknown
    """The connection was lost during COMMIT: whether the transaction happened has to be looked up."""

    def __init__(self, message: str = "the database was lost during the commit") -> None:
        super().__init__(message)
        self.code = "commit.unknown"


class Database:
    """A pool of connections to one PostgreSQL. `async with Database.open(…) as db`."""

    def __init__(self, engine: AsyncEngine, terms: ConnectionTerms, timeout_seconds: float) -> None:
        self._engine = engine
        self._terms = terms
        self._logged_at = -math.inf
        self.timeout_seconds = timeout_seconds

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: SecretStr | str,
        *,
        timeout_seconds: float,
        application_name: str,
        pool_size: int = 4,
        reconnect: Callable[[], object] | None = None,
    ) -> AsyncIterator[Self]:
        """A database; nothing is connected before the first use.

        Args:
            url: libpq's (`postgresql://…`).
            timeout_seconds: bound of a whole transaction: waiting for a connection, connecting, the check of one that
                was idle, the statements, COMMIT or ROLLBACK. It holds whatever the server does.
            pool_size: connections, at most.
            reconnect: called in a thread when nobody listens at `url`; then connecting is tried once more.
        """
        conninfo = url.get_secret_value() if isinstance(url, SecretStr) else url
        terms = ConnectionTerms.of(conninfo, application_name=application_name)
        connect_timeout = max(2, math.ceil(timeout_seconds))
        unpreparable = asyncio.Event()  # a pooler has hidden from us, until its statements were mixed up

        async def connect_once() -> BoundedConnection:
            conn = await connect_bounded(terms, prepares=not unpreparable.is_set(), connect_timeout=connect_timeout)
            await conn.set_autocommit(False)
            return conn

        async def connect(*_args: Any, **_kwargs: Any) -> BoundedConnection:
            try:
                return await connect_once()
            except psycopg.OperationalError as error:
                silent = isinstance(error, AnswerTimeout | psycopg.errors.ConnectionTimeout)
                if reconnect is None or silent or error.sqlstate is not None:
                    raise
                await asyncio.to_thread(reconnect)
                return await connect_once()

        def discard(context: ExceptionContext) -> None:
            if getattr(context.original_exception, "sqlstate", None) in MIXED_UP:
                unpreparable.set()
            _discard(context)

        engine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "handle_error", discard)
        try:
            yield cls(engine, terms, timeout_seconds)
        finally:
            await engine.dispose()

    def seconds_left(self) -> float:
        """How long a transaction may take now, with regard to the bound of who asks (`database_time_bound`)."""
        return seconds_left(self.timeout_seconds)

    @asynccontextmanager
    async def begin(self, *, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Args:
            timeout_seconds: another bound than the database's; a `database_time_bound` around it holds all the same.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away, or the block took longer than the timeout; with
                `DatabaseBusyError` another transaction was in the way.
            CommitUnknown: PostgreSQL went away, or took too long, while it committed.
            DatabaseRefusedError: a statement is wrong, not allowed, or violates a constraint.
        """
        seconds = seconds_left(self.timeout_seconds if timeout_seconds is None else timeout_seconds)
        if seconds <= 0:
            raise DatabaseUnavailableError
        committing = committed = False
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            with counted(), until(deadline):
                async with asyncio.timeout_at(deadline), self._engine.connect() as conn:
                    await _begin_pooled(conn, self._terms)
                    try:
                        yield conn
                    except psycopg.Error as error:  # of a statement past SQLAlchemy, which knows nothing of it
                        if verdict_on(error) is Verdict.AWAY:
                            await conn.invalidate(error)
                        raise
                    committing = True
                    await conn.commit()
                    committed = True
        except (TimeoutError, psycopg.Error, exc.SQLAlchemyError) as error:
            if committed:  # only the connection was lost, on its way back into the pool
                return
            raise self._named(error, committing=committing) from error

    def _named(self, error: Exception, *, committing: bool) -> Exception:
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
        if isinstance(cause, psycopg.Error):
            match verdict_on(cause):
                case Verdict.BUSY if not lost:
                    return DatabaseBusyError()
                case Verdict.OURS if not lost:
                    return DatabaseRefusedError(cause.sqlstate, cause.diag.constraint_name)
        elif not isinstance(cause, TimeoutError | exc.TimeoutError | exc.PendingRollbackError):
            return error  # SQLAlchemy used the wrong way
        self._log_cause(cause)
        return CommitUnknown() if committing else DatabaseUnavailableError()

    def _log_cause(self, cause: Exception) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._logged_at >= _LOG_EVERY_SECONDS:
            self._logged_at = now
            _log.warning("database.away", sqlstate=getattr(cause, "sqlstate", None), error=redact(str(cause)))

    async def ping(self) -> None:
        """Return when the database answers; else raise `DatabaseError`. See `store.database.server.write_proof`."""
        async with self.begin() as conn:
            await conn.execute(text("SELECT 1"))

    async def clock(self) -> ClockPair:
        """PostgreSQL's clock beside this host's: best of 5 round trips."""
        async with self.begin() as conn:
            return await pair_clocks(conn)


async def _begin_pooled(conn: AsyncConnection, terms: ConnectionTerms) -> None:
    """Set for this transaction what could not be set for the connection."""
    raw = (await conn.get_raw_connection()).driver_connection
    assert isinstance(raw, BoundedConnection)
    if raw.pooled:
        await conn.exec_driver_sql(terms.per_transaction)


def _discard(context: ExceptionContext) -> None:
    """Throw the connection away on which a server says that it is away; all of them when it is no writer any more."""
    error = context.original_exception
    if isinstance(error, psycopg.Error) and not context.is_disconnect and verdict_on(error) is Verdict.AWAY:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = error.sqlstate == READ_ONLY
