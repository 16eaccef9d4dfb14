"""The one way to PostgreSQL: an engine, transactions whose failures have names, and its clock."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from sessions.errors import DatabaseUnavailableError
from store.database.clock import ClockPair, pair_clocks

STATEMENT_TIMEOUT_MS = 10_000

# Without these a connection whose host vanished hangs for minutes, a cancel included.
_NETWORK = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


class CommitUnknown(DatabaseUnavailableError):  # noqa: N818 named after its code, commit.unknown
    """The connection was lost during COMMIT: whether the transaction happened has to be looked up."""

    def __init__(self, message: str = "the database was lost during the commit") -> None:
        super().__init__(message)
        self.code = "commit.unknown"


class Database:
    """A pool of connections to one PostgreSQL. `async with Database.open(…) as db`."""

    def __init__(self, engine: AsyncEngine, timeout_seconds: float) -> None:
        self._engine = engine
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
            timeout_seconds: bound of connecting, of waiting for a connection, and of a whole transaction.
            pool_size: connections, at most.
            reconnect: called in a thread when nobody listens at `url`; then connecting is tried once more.
        """
        conninfo = url.get_secret_value() if isinstance(url, SecretStr) else url
        options: dict[str, Any] = {
            **_NETWORK,
            "application_name": application_name,
            **{name: value for name, value in conninfo_to_dict(conninfo).items() if value is not None},
            "connect_timeout": max(2, math.ceil(timeout_seconds)),
        }

        async def connect(*_args: Any, **_kwargs: Any) -> psycopg.AsyncConnection[Any]:
            try:
                return await _connect(options)
            except psycopg.OperationalError as error:
                if reconnect is None or error.sqlstate is not None:
                    raise
                await asyncio.to_thread(reconnect)
                return await _connect(options)

        engine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        try:
            yield cls(engine, timeout_seconds)
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def begin(self, *, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away, or the block took longer than the timeout.
            CommitUnknown: PostgreSQL went away while it committed.
        """
        committing = False
        try:
            async with (
                asyncio.timeout(self.timeout_seconds if timeout_seconds is None else timeout_seconds),
                self._engine.connect() as conn,
            ):
                yield conn
                committing = True
                await conn.commit()
        except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
            raise (CommitUnknown() if committing else DatabaseUnavailableError()) from error
        except (exc.TimeoutError, exc.OperationalError, exc.InterfaceError) as error:
            raise (CommitUnknown() if committing else DatabaseUnavailableError()) from error
        except exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            raise (CommitUnknown() if committing else DatabaseUnavailableError()) from error

    async def ping(self) -> None:
        """Return when the database answers; else raise `DatabaseUnavailableError`."""
        async with self.begin() as conn:
            await conn.execute(text("SELECT 1"))

    async def clock(self) -> ClockPair:
        """PostgreSQL's clock beside this host's: best of 5 round trips."""
        async with self.begin() as conn:
            return await pair_clocks(conn)


async def _connect(options: dict[str, Any]) -> psycopg.AsyncConnection[Any]:
    conn = await psycopg.AsyncConnection.connect(**options, autocommit=True)
    try:
        # As a statement, not as start-up options: PgBouncer refuses those.
        await conn.execute(
            f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}; SET transaction_timeout = {STATEMENT_TIMEOUT_MS};"
            " SET timezone = 'UTC'"
        )
        await conn.set_autocommit(False)
    except BaseException:
        with suppress(psycopg.Error):
            await conn.close()
        raise
    return conn
