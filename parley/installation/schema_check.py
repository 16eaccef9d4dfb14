"""Nothing is done on a database whose schema is not today's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from parley.installation.installation import Installation
from store.database.database import Database
from store.database.server.schema import check_schema


@asynccontextmanager
async def checked_database(
    installation: Installation, application_name: str, *, least_seconds: float = 0
) -> AsyncIterator[Database]:
    """The installation's database for a command that is soon over: one connection, and the schema is the newest.

    Args:
        least_seconds: a transaction may take so long, even if the settings bound it more tightly.

    Raises:
        SchemaOutdatedError: naming `parley migrate`.
        DatabaseUnavailableError: nobody answers.
    """
    async with Database.open(
        installation.database_url,
        timeout_seconds=max(installation.settings.database_timeout_seconds, least_seconds),
        application_name=application_name,
        pool_size=1,
    ) as db:
        await check_schema(db)
        yield db


async def check_own_schema(installation: Installation) -> None:
    """Return when the schema is the newest; raises as `checked_database`."""
    async with checked_database(installation, "parley-start"):
        pass
