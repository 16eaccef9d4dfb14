"""`parley organizations limits NAME`."""

import argparse
import asyncio
from collections.abc import Mapping

from parley.command_error import CommandError
from parley.installation.installation import Installation, open_existing_installation
from parley.installation.logging import configure_logging
from parley.installation.schema_check import checked_database
from parley.installation.settings_loading import load_settings
from sessions.organizations.limits import LIMIT_NAMES, Limits
from store.access.organizations import change_limits

_DEFAULT = "default"
_MOST = 2**31 - 1


def run_organizations(arguments: argparse.Namespace) -> int:
    """Print the organization's limits, after setting those that are asked for.

    Raises:
        CommandError: there is no such organization, or a limit is no number.
        ParleyError: the schema is old, or the database is away.
    """
    asked = {name: getattr(arguments, name) for name in LIMIT_NAMES if getattr(arguments, name) is not None}
    changes = {name: _read(name, value) for name, value in asked.items()}
    settings = load_settings()
    configure_logging(settings.log_level, process="organizations")
    own = asyncio.run(_change(open_existing_installation(settings), arguments.organization, changes))
    default = Limits.of(settings)
    limits = default.with_own(own)
    for name in LIMIT_NAMES:
        whose = "its own" if name in own else "the installation's"
        print(f"{name:<24} {getattr(limits, name) or 'no limit':>10}  {whose}")
    return 0


async def _change(installation: Installation, name: str, changes: Mapping[str, int | None]) -> Mapping[str, int]:
    async with checked_database(installation, "parley-organizations") as db:
        own = await change_limits(db, name, changes)
    if own is None:
        raise CommandError(f"there is no organization {name!r}")
    return own


def _read(name: str, value: str) -> int | None:
    """A limit of the command line; None: the installation's."""
    if value == _DEFAULT:
        return None
    if not (value.isascii() and value.isdecimal()) or int(value) > _MOST:
        raise CommandError(f"{name} takes a number from 0 (no limit) to {_MOST}, or {_DEFAULT}", exit_code=2)
    return int(value)
