"""`parley organizations`."""

import argparse

from parley.arguments.adding_commands import Commands, add_command, add_group

_OPTIONS = (
    ("--requests-per-second", "requests_per_second", "of all its keys, per API process"),
    ("--key-requests-per-second", "key_requests_per_second", "of each of its keys, per API process"),
    ("--creates-per-minute", "creates_per_minute", "new sessions, per API process"),
    ("--messages-per-minute", "messages_per_minute", "into one session, per API process"),
    ("--concurrent", "concurrent_sessions", "voice sessions that are scheduled, queued, starting, running or paused"),
    ("--queued", "queued_sessions", "voice sessions in the queue, or waiting for their start_at"),
    ("--keys", "api_keys", "valid API keys"),
    ("--answers-mb", "answers_mb", "megabytes of answers that Idempotency-Keys keep"),
)


def add_organizations(commands: Commands) -> None:
    """The group and its action."""
    text = "Shows and sets what one organization may ask for."
    actions = add_group(commands, "organizations", "limit an organization", text)
    limits = add_command(
        actions,
        "limits",
        _run_organizations,
        "show the limits of an organization, or set them",
        "Prints every limit of the organization, and whether it is its own or the installation's (PARLEY_LIMIT_…). "
        "Each option sets one: a number, 0 for none, or default for the installation's. API processes know it at once.",
    )
    limits.add_argument("organization", metavar="NAME")
    for option, name, what in _OPTIONS:
        limits.add_argument(option, metavar="N", default=None, dest=name, help=what)


def _run_organizations(arguments: argparse.Namespace) -> int:
    from parley.commands.upkeep.organizations import run_organizations

    return run_organizations(arguments)
