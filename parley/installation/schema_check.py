"""A process doesn't start on a database whose schema is not today's."""

from parley.installation.installation import Installation
from store.database.database import Database
from store.database.server.schema import check_schema


async def check_own_schema(installation: Installation) -> None:
    """Return when the schema is the newest.

    Raises:
        SchemaOutdatedError: naming `parley migrate`.
        DatabaseUnavailableError: nobody answers.
    """
    async with Database.open(
        installation.database_url,
        timeout_seconds=installation.settings.database_timeout_seconds,
        application_name="parley-start",
        pool_size=1,
    ) as db:
        await check_schema(db)
