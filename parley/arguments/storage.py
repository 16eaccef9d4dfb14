"""`parley storage`."""

import argparse

from parley.arguments.adding_commands import Commands, add_command, add_group


def add_storage(commands: Commands) -> None:
    """The group and its actions."""
    text = "Says whether the object storage is the one that this installation writes to."
    actions = add_group(commands, "storage", "check and change the object storage", text)
    add_command(
        actions,
        "check",
        _run_storage,
        "say whether it is the right object storage, and what it lacks",
        "Looks in PARLEY_STORAGE_URL for the object whose id the database knows, then writes, reads, lists and deletes "
        "some small objects as recordings do. Exits with 0 when it is the right one and can do what is needed. On a "
        "database that knows none yet, the storage becomes this installation's.",
    )
    add_command(
        actions,
        "adopt",
        _run_storage,
        "make this object storage the installation's",
        "Leaves an object in PARLEY_STORAGE_URL and its id in the database. Use it when you have moved to another "
        "storage on purpose, or when the old one is lost for good. Nothing is copied: what the old storage holds stays "
        "there, and segments that are not in the new one become gaps.",
    )


def _run_storage(arguments: argparse.Namespace) -> int:
    from parley.commands.upkeep.storage import run_storage

    return run_storage(arguments)
