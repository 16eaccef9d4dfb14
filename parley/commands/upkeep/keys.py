"""`parley keys create | list | rotate | revoke`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from parley.command_error import CommandError
from parley.installation.installation import Installation, open_existing_installation
from parley.installation.logging import configure_logging
from parley.installation.schema_check import checked_database
from parley.installation.settings_loading import load_settings
from parley.terminal.visible import visible
from sessions.ids import format_id, parse_id
from sessions.organizations.key_terms import MAX_GRACE_SECONDS, KeyTerms
from sessions.texts.timestamps import format_timestamp, parse_timestamp
from store.access.api_keys import ApiKey, ApiKeys
from store.access.organizations import organization_names
from store.database.database import Database


def run_keys(arguments: argparse.Namespace) -> int:
    """Do what `arguments.action` says.

    Raises:
        CommandError: there is no such organization or key, or the arguments don't fit together.
        ParleyError: the id is malformed, the schema is old, or the database is away.
    """
    settings = load_settings()
    configure_logging(settings.log_level, process="keys")
    asyncio.run(_run(open_existing_installation(settings), _ACTIONS[arguments.action], arguments))
    return 0


_Action = Callable[[Database, argparse.Namespace], Awaitable[None]]


async def _run(installation: Installation, action: _Action, arguments: argparse.Namespace) -> None:
    async with checked_database(installation, "parley-keys") as db:
        await action(db, arguments)


async def _create(db: Database, arguments: argparse.Namespace) -> None:
    if arguments.kind == "agent" and not (arguments.agent and arguments.scopes):
        raise CommandError("an agent key needs --agent AGENT_ID and at least one --scope", exit_code=2)
    if arguments.kind == "master" and (arguments.agent or arguments.scopes):
        raise CommandError("a master key may do everything: leave --agent and --scope out", exit_code=2)
    terms = KeyTerms(
        arguments.kind,
        arguments.agent,
        arguments.scopes,
        arguments.name,
        await _expiry(db, arguments.expires_at),
    )
    _, secret = await ApiKeys(db).create(arguments.organization, terms)
    print(secret.get_secret_value())


async def _expiry(db: Database, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        expires_at = parse_timestamp(text)
    except ValueError:
        raise CommandError("--expires-at takes a time such as 2027-11-22T00:00:00Z", exit_code=2) from None
    if expires_at <= (await db.clock()).db_time:
        raise CommandError("--expires-at must lie ahead", exit_code=2)
    return expires_at


async def _list(db: Database, arguments: argparse.Namespace) -> None:
    names = await organization_names(db)
    if arguments.organization is not None and arguments.organization not in names.values():
        raise CommandError(f"there is no organization {arguments.organization!r}")
    now = (await db.clock()).db_time
    lines = [
        _line(organization, key, now)
        for organization_id, organization in names.items()
        if arguments.organization in (None, organization)
        for key in await ApiKeys(db).list(organization_id)
    ]
    if lines:
        print("\n".join(lines))
    else:
        print("no keys", file=sys.stderr)


async def _revoke(db: Database, arguments: argparse.Namespace) -> None:
    key_id = parse_id("key", arguments.key_id, param="KEY_ID")
    organization_id = await _organization_of(db, key_id)
    for key in await ApiKeys(db).revoke(organization_id, key_id, cascade=arguments.cascade):
        print(f"{format_id('key', key.id)} is revoked")


async def _rotate(db: Database, arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.grace_seconds <= MAX_GRACE_SECONDS:
        raise CommandError(f"--grace-seconds must be from 0 to {MAX_GRACE_SECONDS}", exit_code=2)
    key_id = parse_id("key", arguments.key_id, param="KEY_ID")
    organization_id = await _organization_of(db, key_id)
    _, secret = await ApiKeys(db).rotate(organization_id, key_id, grace_seconds=arguments.grace_seconds)
    print(secret.get_secret_value())


async def _organization_of(db: Database, key_id: UUID) -> UUID:
    for organization_id in await organization_names(db):
        if any(key.id == key_id for key in await ApiKeys(db).list(organization_id)):
            return organization_id
    raise CommandError("there is no such API key")


def _line(organization: str, key: ApiKey, now: datetime) -> str:
    expired = key.expires_at is not None and key.expires_at <= now
    state = "revoked" if key.revoked_at else "expired" if expired else "valid"
    columns = [format_id("key", key.id), organization, key.kind, f"{key.prefix}…{key.last_four}", state]
    if key.kind == "agent":
        columns += [f"agent={key.agent_id}", f"scopes={','.join(sorted(key.scopes))}"]
    if key.expires_at is not None:
        columns.append(f"expires={format_timestamp(key.expires_at)}")
    if key.last_used_at is not None:
        columns.append(f"used={format_timestamp(key.last_used_at)}")
    if key.created_by is not None:
        columns.append(f"by={format_id('key', key.created_by)}")
    if key.replaced_by is not None:
        columns.append(f"replaced-by={format_id('key', key.replaced_by)}")
    return visible("  ".join([*columns, key.name or ""]).rstrip())


_ACTIONS: dict[str, _Action] = {"create": _create, "list": _list, "revoke": _revoke, "rotate": _rotate}
