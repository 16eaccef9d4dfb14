"""`parley login`, `parley logout`, `parley completion`: what makes a shell ready."""

import argparse

from parley.arguments.adding_commands import ACCOUNT_HELP, Commands, add_command
from parley.commands.loading import loading

_SHELLS = ("bash", "zsh", "tcsh")


def add_account(commands: Commands, parser: argparse.ArgumentParser) -> None:
    """All three; `parser` is the whole command line, which scripts complete."""
    login = add_command(
        commands,
        "login",
        _run_login,
        "keep the API's URL and a key for other commands",
        "Keeps the API's URL and a key in a file that only its owner can read, if the API takes the key. The key is "
        "typed, or read from stdin.",
        epilog=ACCOUNT_HELP,
    )
    login.add_argument("--url", metavar="URL", default=None, help="of the API (default: PARLEY_URL, else asked for)")
    add_command(
        commands,
        "logout",
        _run_logout,
        "forget the kept key",
        "Removes the file of `parley login`. The key itself goes on working until it is revoked or expires.",
        epilog=ACCOUNT_HELP,
    )
    completion = add_command(
        commands,
        "completion",
        lambda arguments: _run_completion(parser, arguments.shell),
        "print a completion script for a shell",
        "Prints a script that completes commands and options: source it, or put it where your shell looks for such "
        "scripts. docs/guides/cli.md says where that is.",
        epilog=ACCOUNT_HELP,
    )
    completion.add_argument("shell", choices=_SHELLS, help="which shell it is for")


def _run_login(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.login import run_login

    return run_login(arguments)


def _run_logout(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.login import run_logout

    return run_logout(arguments)


def _run_completion(parser: argparse.ArgumentParser, shell: str) -> int:
    from parley.commands.completion import run_completion

    return run_completion(parser, shell)
