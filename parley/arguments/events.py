"""`parley events`, `parley listen`, `parley trigger`: what happens to sessions, over the HTTP API."""

import argparse
from pathlib import Path

from parley.arguments.adding_commands import ACCOUNT_HELP, Commands, add_command, add_group
from parley.commands.loading import loading

_SECRET_FILE_HELP = "whsec_… that signs (default: a new one, which is printed)"


def add_events(commands: Commands) -> None:
    """All three."""
    actions = add_group(
        commands, "events", "watch what happens", "Shows what happens to all sessions.", epilog=ACCOUNT_HELP
    )
    tail = add_command(
        actions,
        "tail",
        _run_tail,
        "show events as they come",
        "Shows the organization's events from now on, or after a cursor, until interrupted. What happens while the "
        "connection is broken is shown when it is back.",
        epilog=ACCOUNT_HELP,
    )
    _add_filter(tail)
    tail.add_argument("--json", action="store_true", help="each event as it is, on a line")
    _add_listen(commands)
    _add_trigger(commands)


def _add_listen(commands: Commands) -> None:
    listen = add_command(
        commands,
        "listen",
        _run_listen,
        "post events to a receiver of webhooks, also on this machine",
        "Posts the organization's events, from now on or after a cursor, to a URL as webhooks (Standard Webhooks), "
        "with the bodies that an endpoint gets, and prints each answer, until interrupted. The receiver needs no "
        "public address. Events come one after the other; a receiver that is being started again is waited for half a "
        "minute.",
        epilog=ACCOUNT_HELP,
    )
    listen.add_argument("--forward-to", metavar="URL", required=True, help="such as http://localhost:3000/hook")
    _add_filter(listen)
    listen.add_argument("--secret-file", metavar="PATH", type=Path, default=None, help=_SECRET_FILE_HELP)
    listen.add_argument("--json", action="store_true", help="each answer as a document on a line")


def _add_trigger(commands: Commands) -> None:
    trigger = add_command(
        commands,
        "trigger",
        _run_trigger,
        "post an example of an event to a receiver of webhooks",
        "Posts an example of an event to where `parley listen` on this machine posts to, signed as it signs, or to a "
        "URL. Exits with 1 unless the answer is 2xx.",
        epilog=ACCOUNT_HELP,
    )
    trigger.add_argument("type", metavar="TYPE", help="such as session.ended")
    trigger.add_argument("--forward-to", metavar="URL", default=None, help="default: every running `parley listen`")
    trigger.add_argument("--secret-file", metavar="PATH", type=Path, default=None, help=_SECRET_FILE_HELP)
    trigger.add_argument("--json", action="store_true", help="the answer as a document")


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--types", metavar="TYPES", default=None, help="comma-separated, such as session.*,recording.available"
    )
    parser.add_argument("--session", metavar="SESSION_ID", default=None, dest="session_id", help="only this session's")
    parser.add_argument(
        "--agent", metavar="AGENT_ID", default=None, dest="agent_id", help="only this agent's sessions'"
    )
    parser.add_argument("--after", metavar="CURSOR", default=None, help="evc_…, to go on where an earlier run stopped")


def _run_tail(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.events_tail import run_events_tail

    return run_events_tail(arguments)


def _run_listen(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.listen import run_listen

    return run_listen(arguments)


def _run_trigger(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.trigger import run_trigger

    return run_trigger(arguments)
