"""Procrastinate's connector for the side that runs jobs: it waits for PostgreSQL instead of failing.

Measured: without it a restart of PostgreSQL makes Procrastinate's worker stop taking jobs and return without an error,
or leaves its listener dead for the rest of the process's life. The API side must not use it: it has to fail fast.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, LiteralString, ParamSpec, TypeVar

import psycopg
import psycopg_pool
from procrastinate import PsycopgConnector, exceptions
from procrastinate.connector import Notify
from pydantic import SecretStr

from store.database.notify.listener_names import JOBS_LISTENER
from store.database.notify.notifications import Listener
from store.database.server.connection_terms import ConnectionTerms
from store.database.sqlstates import Verdict, verdict_on

P = ParamSpec("P")
T = TypeVar("T")

_POOL_SECONDS = 3.0
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 2.0

_LOOK = '{"type": "job_inserted"}'


class PatientConnector(PsycopgConnector):
    """Repeats whatever fails because PostgreSQL is away or busy, until it is back or the caller is canceled.

    Its connections prepare nothing, as there may be a pooler, and are used again only while their server is the writer.

    Args:
        url: libpq's.
        direct_url: the same past the pooler, if there is one.
        pool_seconds: for a connection of the pool.
    """

    def __init__(self, url: SecretStr, direct_url: SecretStr | None, *, pool_seconds: float = _POOL_SECONDS) -> None:
        terms = ConnectionTerms.of(url.get_secret_value(), application_name="parley-jobs-queue")
        self._url = url
        self._direct_url = direct_url

        async def configure(conn: psycopg.AsyncConnection[Any]) -> None:
            await conn.execute(terms.unbounded.encode())
            await conn.commit()

        super().__init__(
            pool_factory=_pool,
            conninfo="",
            kwargs={**terms.conninfo, "prepare_threshold": None},
            configure=configure,
            min_size=1,
            max_size=4,
            timeout=pool_seconds,
            reconnect_timeout=pool_seconds,
        )

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """See `PsycopgConnector`."""
        await _patiently(super().execute_query_async, query, **arguments)

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        """See `PsycopgConnector`."""
        return await _patiently(super().execute_query_one_async, query, **arguments)

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        """See `PsycopgConnector`."""
        return await _patiently(super().execute_query_all_async, query, **arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """See `PsycopgConnector`; behind a pooler nothing is heard without a direct URL.

        Every role of the database may notify, and Procrastinate stops listening at a payload that it cannot read. So it
        is told the same each time: look for jobs.
        """
        async with Listener.open(
            self._url, direct_url=self._direct_url, channels=list(channels), application_name=JOBS_LISTENER
        ) as listener:
            async for notification in listener:
                await on_notification(channel=notification.channel, payload=_LOOK)


def _pool(**options: Any) -> psycopg_pool.AsyncConnectionPool[psycopg.AsyncConnection[Any]]:
    return psycopg_pool.AsyncConnectionPool(**{**options, "check": _check_writer})


async def _check_writer(conn: psycopg.AsyncConnection[Any]) -> None:
    cursor = await conn.execute("SHOW transaction_read_only")
    found = await cursor.fetchone()
    await conn.rollback()
    if found != ("off",):
        await conn.close()  # the pool makes another one only of what is broken, and offers this one again and again
        raise psycopg.OperationalError("the server is no writer any more")


async def _patiently(call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    delay = _FIRST_DELAY_SECONDS
    while True:
        try:
            return await call(*args, **kwargs)
        except exceptions.ConnectorException as error:
            if not _passes(error.__cause__):
                raise
        await asyncio.sleep(delay)
        delay = min(delay * 2, _LONGEST_DELAY_SECONDS)


def _passes(cause: BaseException | None) -> bool:
    if isinstance(cause, psycopg.errors.QueryCanceled):  # too slow once, too slow again
        return False
    if isinstance(cause, psycopg.Error):
        return verdict_on(cause) is not Verdict.OURS
    return isinstance(cause, psycopg_pool.PoolTimeout)
