"""`parley keys rotate-secret`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from control_api.outputs.recordings.links import LINK_SECONDS
from parley.installation.installation import Installation, open_existing_installation
from parley.installation.logging import configure_logging
from parley.installation.schema_check import checked_database
from parley.installation.settings_loading import load_settings
from store.access.secret_rotation import Resealed, seal_anew
from store.access.vault import TokenVault


def run_rotate_secret(arguments: argparse.Namespace) -> int:
    """Seal anew what is stored, and say whether an older secret key is still needed.

    Returns:
        0: nothing that is stored needs one; 1: something does, or none of the keys opens it.

    Raises:
        ParleyError: the schema is old, or the database is away.
    """
    settings = load_settings()
    configure_logging(settings.log_level, process="rotate-secret")
    installation = open_existing_installation(settings)
    resealed = asyncio.run(_rotate(installation))
    for one in resealed:
        print(f"{one.what}: {one.anew} sealed anew")
    sentences = verdict(resealed)
    print("\n".join(sentences), file=sys.stderr if needed(resealed) else sys.stdout)
    return 1 if needed(resealed) else 0


def needed(resealed: Sequence[Resealed]) -> bool:
    """Whether something stored is not sealed with the newest secret key."""
    return any(one.busy or one.unreadable for one in resealed)


def verdict(resealed: Sequence[Resealed]) -> list[str]:
    """What to do now, a sentence a line."""
    busy = [f"{one.busy} {one.what}" for one in resealed if one.busy]
    unreadable = [f"{one.unreadable} {one.what}" for one in resealed if one.unreadable]
    sentences = []
    if busy:
        sentences.append(f"An older key is still needed for {', '.join(busy)}, which were in use: run this again.")
    if unreadable:
        sentences.append(
            f"None of the keys in PARLEY_SECRET_KEY opens {', '.join(unreadable)}: if the one that does was dropped, "
            "put it back at the end and run this again; else their sessions, answers and webhooks fail with "
            "secret_key.dropped."
        )
    if not sentences:
        sentences.append(
            "Nothing that is stored needs an older key. Drop it when all processes have been running with the newest "
            f"in front for {LINK_SECONDS // 60} minutes (links last so long) and this finds nothing to seal anew."
        )
    return sentences


async def _rotate(installation: Installation) -> list[Resealed]:
    async with checked_database(installation, "parley-keys") as db:
        return await seal_anew(db, TokenVault(installation.settings.secret_key))
