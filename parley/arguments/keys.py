"""`parley keys`."""

import argparse
from typing import get_args

from parley.arguments.adding_commands import Commands, add_command, add_group
from sessions.organizations.key_terms import DEFAULT_GRACE_SECONDS, Scope

_KEY_ID_HELP = "key_…, as `parley keys list` prints it"


def add_keys(commands: Commands) -> None:
    """The group and its actions."""
    text = "Makes, lists, rotates and revokes API keys in the database; seals anew after a rotation of the secret key."
    actions = add_group(commands, "keys", "make, list, rotate and revoke API keys", text)
    create = add_command(
        actions,
        "create",
        _run_keys,
        "make a key, which is shown once",
        "Makes an API key of an organization and prints it on stdout, the only time that it can be seen. A master key "
        "may do everything; an agent key sees one agent's sessions and may do what its scopes say.",
    )
    create.add_argument(
        "--organization", metavar="NAME", default="default", help="made when new (default: %(default)s)"
    )
    create.add_argument("--kind", choices=["master", "agent"], default="master", help="default: %(default)s")
    create.add_argument("--agent", metavar="AGENT_ID", default=None, help="whose sessions an agent key sees")
    create.add_argument(
        "--scope",
        metavar="SCOPE",
        action="append",
        default=[],
        dest="scopes",
        choices=get_args(Scope),
        help=f"what an agent key may do, may be repeated: {', '.join(get_args(Scope))}",
    )
    create.add_argument("--expires-at", metavar="TIME", default=None, help="such as 2027-11-22T00:00:00Z")
    create.add_argument("--name", metavar="TEXT", default=None, help="what the key is for")
    listing = add_command(
        actions,
        "list",
        _run_keys,
        "list keys",
        "Lists API keys: id, organization, kind, last digits, state, agent, scopes, expiry, use, maker, heir, name.",
    )
    listing.add_argument("--organization", metavar="NAME", default=None, help="only this organization's keys")
    revoke = add_command(actions, "revoke", _run_keys, "revoke a key", "Makes an API key invalid at once, for good.")
    revoke.add_argument("key_id", metavar="KEY_ID", help=_KEY_ID_HELP)
    revoke.add_argument("--cascade", action="store_true", help="also every key that it made, and that those made")
    rotate = add_command(
        actions,
        "rotate",
        _run_keys,
        "make a new key in the place of an old one",
        "Prints a new key that may do what the old one may and expires when it would have. The old one goes on working "
        "for the grace period, so that nobody is locked out while the new one is being rolled out.",
    )
    rotate.add_argument("key_id", metavar="KEY_ID", help=_KEY_ID_HELP)
    rotate.add_argument(
        "--grace-seconds",
        metavar="N",
        type=int,
        default=DEFAULT_GRACE_SECONDS,
        help="seconds in which both keys work (default: %(default)s)",
    )
    add_command(
        actions,
        "rotate-secret",
        _run_rotate_secret,
        "seal what is stored with the newest secret key",
        "Seals with the first text of PARLEY_SECRET_KEY what older ones have sealed, and says whether one of those is "
        "still needed. Restart every API and worker process with PARLEY_SECRET_KEY=new,old before.",
    )


def _run_keys(arguments: argparse.Namespace) -> int:
    from parley.commands.upkeep.keys import run_keys

    return run_keys(arguments)


def _run_rotate_secret(arguments: argparse.Namespace) -> int:
    from parley.commands.upkeep.rotate_secret import run_rotate_secret

    return run_rotate_secret(arguments)
