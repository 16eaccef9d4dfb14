"""`parley usage`."""

import argparse

from parley.arguments.adding_commands import ACCOUNT_HELP, Commands, add_command, add_group
from parley.commands.loading import loading


def add_usage(commands: Commands) -> None:
    """The group and its actions: `verify` asks the database, `export` the API."""
    actions = add_group(commands, "usage", "check and export the bill", "Checks and exports the bill.")
    _add_verify(actions)
    _add_export(actions)


def _add_verify(actions: Commands) -> None:
    verify = add_command(
        actions,
        "verify",
        _run_usage,
        "recompute the bill from the ledger, and say whether every session balances",
        "Recomputes every session that a period bills from the ledger's rows: the ranges tile the session's counter "
        "without a hole or an overlap, each row's credits are its milliseconds times its multiplier, a session that "
        "is over has one final row, the last. Exits with 0 when every session balances, with 1 when one doesn't, "
        "with 2 when nothing could be checked.",
    )
    _add_period(verify, session="session")
    verify.add_argument("--organization", metavar="NAME", default=None, help="only this organization's bill")


def _add_export(actions: Commands) -> None:
    export = add_command(
        actions,
        "export",
        _run_export,
        "print the rows of the bill, as CSV or JSON",
        "Prints the rows of a period's bill, oldest first, as the API serves them, and says on stderr what they add up "
        "to. Exits with 1 when the rows of a period that is over don't add up to its sums.",
        epilog=ACCOUNT_HELP,
    )
    _add_period(export, session="session_id")
    export.add_argument(
        "--format", choices=["csv", "json"], default="csv", help="json: a document per line (default: %(default)s)"
    )


def _add_period(parser: argparse.ArgumentParser, *, session: str) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--period", choices=["current_month", "previous_month"], default=None, help="default: current_month"
    )
    which.add_argument("--session", metavar="SESSION_ID", default=None, dest=session, help="only this session, sess_…")
    date = "a date such as 2026-11-01, or a time such as 2026-11-01T00:00:00Z"
    parser.add_argument("--period-start", metavar="WHEN", default=None, help=f"instead of --period: {date}")
    parser.add_argument("--period-end", metavar="WHEN", default=None, help="exclusive")
    parser.add_argument("--time-zone", metavar="NAME", default="UTC", help="of months and dates (default: %(default)s)")


def _run_usage(arguments: argparse.Namespace) -> int:
    from parley.commands.upkeep.usage import run_usage

    return run_usage(arguments)


def _run_export(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.usage_export import run_usage_export

    return run_usage_export(arguments)
