"""Adding a command to a parser."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

SETTINGS_HELP = "Settings are environment variables, PARLEY_…; docs/settings.md lists them all."
ACCOUNT_HELP = (
    "PARLEY_URL and PARLEY_KEY, or `parley login`, say where the API is and with which key (docs/guides/cli.md)."
)

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run: TypeAlias = Callable[[argparse.Namespace], int]


def add_command(
    commands: Commands,
    name: str,
    run: Run,
    summary: str,
    description: str,
    *,
    epilog: str = SETTINGS_HELP,
) -> argparse.ArgumentParser:
    """A command that `run` does; it takes the namespace and returns the exit code."""
    parser = commands.add_parser(name, help=summary, description=description, epilog=epilog)
    parser.set_defaults(run=run)
    return parser


def add_group(
    commands: Commands, name: str, summary: str, description: str, *, epilog: str = SETTINGS_HELP
) -> Commands:
    """A command that consists of actions."""
    group = commands.add_parser(name, help=summary, description=description, epilog=epilog)
    return group.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
