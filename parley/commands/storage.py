"""`parley storage`: whether the configured object storage is this installation's, and making it so."""

import argparse
import asyncio

from parley.installation.installation import Installation, open_installation
from parley.installation.logging import configure_logging
from parley.installation.object_storage import open_objects
from parley.installation.settings_loading import load_settings
from store.database.database import Database
from store.database.schema import check_schema
from store.installation.storage_identity import StorageIdentity


def run_storage(arguments: argparse.Namespace) -> int:
    """Do what `arguments.action` says, and print the result.

    Raises:
        ParleyError: the storage is another one (`check`), or storage or database are away, or the schema is old.
    """
    settings = load_settings()
    configure_logging(settings.log_level, process="storage")
    return asyncio.run(_run(open_installation(settings), arguments.action))


async def _run(installation: Installation, action: str) -> int:
    async with Database.open(
        installation.database_url,
        timeout_seconds=installation.settings.database_timeout_seconds,
        application_name="parley-storage",
        pool_size=1,
    ) as db:
        await check_schema(db)
        identity = StorageIdentity(db, open_objects(installation))
        if action == "check":
            await identity.confirm()
            print(f"{installation.storage_url} is this installation's object storage.")
        elif await identity.adopt():
            print(f"{installation.storage_url} is this installation's object storage from now on.")
        else:
            print(f"{installation.storage_url} is this installation's object storage already.")
    return 0
