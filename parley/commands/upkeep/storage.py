"""`parley storage`: whether the configured object storage is this installation's, and making it so."""

import argparse
import asyncio

from parley.command_error import CommandError
from parley.installation.installation import Installation, open_existing_installation
from parley.installation.logging import configure_logging
from parley.installation.object_storage import open_objects
from parley.installation.schema_check import checked_database
from parley.installation.settings_loading import load_settings
from store.installation.storage_identity import StorageIdentity
from store.objects.errors import StorageError
from store.objects.probe import DISPENSABLE, Lack, lacking, probe_storage


def run_storage(arguments: argparse.Namespace) -> int:
    """Do what `arguments.action` says, and print the result.

    Raises:
        CommandError: the storage is away, and why.
        ParleyError: the storage is another one (`check`), or the database is away, or the schema is old.
    """
    settings = load_settings()
    configure_logging(settings.log_level, process="storage")
    try:
        return asyncio.run(_run(open_existing_installation(settings), arguments.action))
    except StorageError as error:
        if error.cause is None:
            raise
        raise CommandError(f"{error.message}: {error.cause.text}") from error


async def _run(installation: Installation, action: str) -> int:
    async with checked_database(installation, "parley-storage") as db:
        objects = open_objects(installation)
        identity = StorageIdentity(db, objects)
        if action == "check":
            await identity.confirm()
            print(f"{installation.storage_url} is this installation's object storage.")
            return _say(await probe_storage(objects))
        if await identity.adopt():
            print(f"{installation.storage_url} is this installation's object storage from now on.")
        else:
            print(f"{installation.storage_url} is this installation's object storage already.")
    return 0


def _say(lacks: tuple[Lack, ...]) -> int:
    for lack in lacks:
        how = "can be done without" if lack.ability in DISPENSABLE else "is needed"
        print(f"It lacks {lack.ability}, which {how}: {lack.cause}.")
    if not lacks:
        print("It can do everything that recordings need.")
    return 0 if lacking(lacks) is None else 1
