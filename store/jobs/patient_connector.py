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

from store.database.sqlstates import Verdict, verdict_on

P = ParamSpec("P")
T = TypeVar("T")

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 2.0


class PatientConnector(PsycopgConnector):
    """Repeats whatever fails because PostgreSQL is away or busy, until it is back or the caller is canceled."""

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
        """See `PsycopgConnector`."""
        await _patiently(super().listen_notify, on_notification, list(channels))


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
