"""The database pool of a process for jobs: few connections, because it does little at a time."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from pydantic import SecretStr

from sessions.settings import Settings
from store.database.database import Database


def open_job_database(
    settings: Settings,
    url: SecretStr,
    *,
    name: str,
    reconnect: Callable[[], object] | None,
    pool_size: int = 2,
) -> AbstractAsyncContextManager[Database]:
    """Open the pool of the process that PostgreSQL shows as `name`; the rest is as in `Database.open`."""
    return Database.open(
        url,
        timeout_seconds=settings.database_timeout_seconds,
        application_name=name,
        pool_size=pool_size,
        reconnect=reconnect,
    )
