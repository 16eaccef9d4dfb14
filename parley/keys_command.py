"""`parley keys create | list | revoke`."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from parley.command_error import CommandError
from parley.installation import Installation, open_installation
from parley.logging import configure_logging
from parley.settings_loading import load_settings
from sessions.ids import format_id, parse_id
from store.api_keys import ApiKey, ApiKeys
from store.database import Database
from store.organizations import organization_names
from store.schema import check_schema


def run_keys(arguments: argparse.Namespace) -> int:
    """Do what `arguments.action` says.

    Raises:
        CommandError: there is no such organization or key.
        ParleyError: the id is none, the schema is old, or the database is away.
    """
    settings = load_settings()
    configure_logging(settings.log_level, process="keys")
    asyncio.run(_run(open_installation(settings), _ACTIONS[arguments.action], arguments))
    return 0


_Action = Callable[[Database, argparse.Namespace], Awaitable[None]]


async def _run(installation: Installation, action: _Action, arguments: argparse.Namespace) -> None:
    async with Database.open(
        installation.database_url,
        timeout_seconds=installation.settings.database_timeout_seconds,
        application_name="parley-keys",
        pool_size=1,
    ) as db:
        await check_schema(db)
        await action(db, arguments)


async def _create(db: Database, arguments: argparse.Namespace) -> None:
    _, secret = await ApiKeys(db).create(arguments.organization, name=arguments.name)
    print(secret.get_secret_value())


async def _list(db: Database, arguments: argparse.Namespace) -> None:
    names = await organization_names(db)
    if arguments.organization is not None and arguments.organization not in names.values():
        raise CommandError(f"there is no organization {arguments.organization!r}")
    for organization_id, organization in names.items():
        if arguments.organization in (None, organization):
            for key in await ApiKeys(db).list(organization_id):
                print(_line(organization, key))


async def _revoke(db: Database, arguments: argparse.Namespace) -> None:
    key_id = parse_id("key", arguments.key_id, param="KEY_ID")
    organization_id = await _organization_of(db, key_id)
    await ApiKeys(db).revoke(organization_id, key_id)
    print(f"{format_id('key', key_id)} is revoked")


async def _organization_of(db: Database, key_id: UUID) -> UUID:
    for organization_id in await organization_names(db):
        if any(key.id == key_id for key in await ApiKeys(db).list(organization_id)):
            return organization_id
    raise CommandError("there is no such API key")


def _line(organization: str, key: ApiKey) -> str:
    state = "revoked" if key.revoked_at else "valid"
    secret = f"{key.prefix}…{key.last_four}"
    return f"{format_id('key', key.id)}  {organization}  {key.kind}  {secret}  {state}  {key.name or ''}".rstrip()


_ACTIONS: dict[str, _Action] = {"create": _create, "list": _list, "revoke": _revoke}
