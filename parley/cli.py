"""The command line: `parley COMMAND`. Every command is a module of its own that is imported only when it runs."""

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, get_args

from parley.command_error import CommandError
from parley.commands.loading import loading
from sessions.errors import DatabaseRefusedError, ParleyError
from sessions.key_terms import DEFAULT_GRACE_SECONDS, Scope

_OWNER_ONLY_UMASK = 0o077
_EXIT_INTERRUPTED = 130
_EXIT_PIPE_CLOSED = 141  # as of a program that SIGPIPE ends

_KEY_ID_HELP = "key_…, as `parley keys list` prints it"
_SETTINGS_HELP = "Settings are environment variables, PARLEY_…; docs/settings.md lists them all."


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the namespace it makes has `run`, which takes the namespace and returns a code."""
    parser = argparse.ArgumentParser(
        prog="parley",
        description="Parley records voice conversations in LiveKit rooms that its customers own.",
        epilog=_SETTINGS_HELP,
    )
    parser.add_argument("--version", action="version", version=f"parley {importlib.metadata.version('parley')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    _add_services(commands)
    _add_keys(commands)
    _add_usage(commands)
    _add_storage(commands)
    _add_children(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code. Errors are one line on stderr."""
    arguments = build_parser().parse_args(argv)
    os.umask(_OWNER_ONLY_UMASK)  # spool, recordings, database and keys are nobody else's
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        exit_code = run(arguments)
        sys.stdout.flush()
        return exit_code
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except BrokenPipeError:  # `parley keys list | head`: whoever read stdout has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python's own last flush succeeds
        return _EXIT_PIPE_CLOSED
    except CommandError as error:
        return _complain(str(error), error.exit_code)
    except DatabaseRefusedError as error:
        said = str(error.__cause__).partition("\n")[0]
        return _complain(f"{error.message}: {said}. `parley doctor` may say what to do", 1)
    except ParleyError as error:
        return _complain(error.message, 1)


def _complain(message: str, exit_code: int) -> int:
    from sessions.texts.redaction import redact

    print(f"parley: {redact(message)}", file=sys.stderr)
    return exit_code


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_services(commands: _Commands) -> None:
    api = _command(
        commands,
        "api",
        _run_api,
        "serve the HTTP API",
        "Serves the control API on PARLEY_API_HOST:PARLEY_API_PORT until SIGTERM or SIGINT. It shares nothing with "
        "workers but PostgreSQL (PARLEY_DATABASE_URL, else an embedded one in PARLEY_DATA_DIR) and object storage "
        "(PARLEY_STORAGE_URL).",
    )
    _add_url_file(api)
    worker = _command(
        commands,
        "worker",
        _run_worker,
        "join rooms and record them",
        "Runs PARLEY_PROCESSES recorder processes, one for finalizing and one for speech, replaces those that die, and "
        "serves /healthz, /readyz and /metrics on PARLEY_WORKER_PORT. SIGTERM or SIGINT hands running sessions "
        "over to other workers, or seals them after PARLEY_GRACE_SECONDS.",
    )
    _add_url_file(worker)
    worker.add_argument("--children-die-by", choices=["TERM", "KILL"], default="TERM", help=argparse.SUPPRESS)
    _command(
        commands,
        "dev",
        _run_dev,
        "run the whole stack in the foreground",
        "Starts PostgreSQL (embedded, unless PARLEY_DATABASE_URL is set), a LiveKit server on loopback, the API and a "
        "worker, and prints their addresses, a master key and a curl command with a fresh worker token. Ctrl-C stops "
        "everything.",
    )
    _command(
        commands,
        "demo",
        _run_demo,
        "record a conversation in a real room, and check the file",
        "Starts the whole stack on this machine, lets two talkers meet in a LiveKit room, records them through the API "
        "as a customer would, and checks conversation.wav. Exits with 0 only if the file is right.",
    )
    _command(
        commands,
        "migrate",
        _run_migrate,
        "bring the database's schema up to date",
        "Creates or upgrades the tables of PARLEY_DATABASE_URL (else of the embedded database). Safe to run from "
        "several machines at once, and when there is nothing to do.",
    )
    _command(
        commands,
        "doctor",
        _run_doctor,
        "say whether the database is fit for Parley",
        "Looks at PARLEY_DATABASE_URL and PARLEY_DATABASE_DIRECT_URL (else at the embedded database): version, "
        "encoding, rights, schema, whether it takes writes, its clock. Says what to do in a sentence each.",
    )


def _add_url_file(parser: argparse.ArgumentParser) -> None:
    text = "written as soon as the port is open, with the base URL; for whoever asked for port 0"
    parser.add_argument("--url-file", metavar="PATH", type=Path, default=None, help=text)


def _add_keys(commands: _Commands) -> None:
    text = "Makes, lists, rotates and revokes API keys in the database."
    keys = commands.add_parser(
        "keys", help="make, list, rotate and revoke API keys", description=text, epilog=_SETTINGS_HELP
    )
    actions = keys.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    create = _command(
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
    listing = _command(
        actions,
        "list",
        _run_keys,
        "list keys",
        "Lists API keys: id, organization, kind, last digits, state, agent, scopes, expiry, use, maker, heir, name.",
    )
    listing.add_argument("--organization", metavar="NAME", default=None, help="only this organization's keys")
    revoke = _command(actions, "revoke", _run_keys, "revoke a key", "Makes an API key invalid at once, for good.")
    revoke.add_argument("key_id", metavar="KEY_ID", help=_KEY_ID_HELP)
    revoke.add_argument("--cascade", action="store_true", help="also every key that it made, and that those made")
    rotate = _command(
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


def _add_usage(commands: _Commands) -> None:
    text = "Checks the bill."
    usage = commands.add_parser("usage", help="check the bill", description=text, epilog=_SETTINGS_HELP)
    actions = usage.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    verify = _command(
        actions,
        "verify",
        _run_usage,
        "recompute the bill from the ledger, and say whether every session balances",
        "Recomputes every session that a period bills from the ledger's rows: the ranges tile the session's counter "
        "without a hole or an overlap, each row's credits are its milliseconds times its multiplier, a session that "
        "is over has one final row, the last. Exits with 0 when every session balances, with 1 when one doesn't, "
        "with 2 when nothing could be checked.",
    )
    which = verify.add_mutually_exclusive_group()
    which.add_argument(
        "--period", choices=["current_month", "previous_month"], default=None, help="default: current_month"
    )
    which.add_argument("--session", metavar="SESSION_ID", default=None, help="only this session, sess_…")
    date = "a date such as 2026-11-01, or a time such as 2026-11-01T00:00:00Z"
    verify.add_argument("--period-start", metavar="WHEN", default=None, help=f"instead of --period: {date}")
    verify.add_argument("--period-end", metavar="WHEN", default=None, help="exclusive")
    verify.add_argument("--time-zone", metavar="NAME", default="UTC", help="of months and dates (default: %(default)s)")
    verify.add_argument("--organization", metavar="NAME", default=None, help="only this organization's bill")


def _add_storage(commands: _Commands) -> None:
    text = "Says whether the object storage is the one that this installation writes to."
    storage = commands.add_parser(
        "storage", help="check and change the object storage", description=text, epilog=_SETTINGS_HELP
    )
    actions = storage.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    _command(
        actions,
        "check",
        _run_storage,
        "say whether it is the right object storage, and what it lacks",
        "Looks in PARLEY_STORAGE_URL for the object whose id the database knows, then writes, reads, lists and deletes "
        "some small objects as recordings do. Exits with 0 when it is the right one and can do what is needed. On a "
        "database that knows none yet, the storage becomes this installation's.",
    )
    _command(
        actions,
        "adopt",
        _run_storage,
        "make this object storage the installation's",
        "Leaves an object in PARLEY_STORAGE_URL and its id in the database. Use it when you have moved to another "
        "storage on purpose, or when the old one is lost for good. Nothing is copied: what the old storage holds stays "
        "there, and segments that are not in the new one become gaps.",
    )


def _add_children(commands: _Commands) -> None:
    """Processes that `parley worker` starts; not listed, for nobody else should."""
    nursery = commands.add_parser("nursery", description="Forks recorder processes; started by `parley worker`.")
    nursery.add_argument("--fd", type=int, required=True, help="the socket on which it is asked for them")
    nursery.add_argument("--room", default="", help="room for a recorder's command line, which is longer than this one")
    nursery.set_defaults(run=_run_nursery)
    jobs = commands.add_parser("jobs", description="Runs the jobs of one queue; started by `parley worker`.")
    jobs.add_argument(
        "--queue", choices=["short", "speech"], default="short", help="short: finalizing; speech: the rest"
    )
    jobs.set_defaults(run=_run_jobs)


def _command(
    commands: _Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str, description: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=description, epilog=_SETTINGS_HELP)
    parser.set_defaults(run=run)
    return parser


def _run_api(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.api import run_api

    return run_api(url_file=arguments.url_file)


def _run_worker(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.worker import run_worker

    return run_worker(children_die_by=arguments.children_die_by, url_file=arguments.url_file)


def _run_dev(_arguments: argparse.Namespace) -> int:
    from parley.commands.dev import run_dev

    return run_dev()


def _run_demo(_arguments: argparse.Namespace) -> int:
    from parley.demo.demo_command import run_demo

    return run_demo()


def _run_migrate(_arguments: argparse.Namespace) -> int:
    from parley.commands.migrate import run_migrate

    return run_migrate()


def _run_doctor(_arguments: argparse.Namespace) -> int:
    from parley.commands.doctor import run_doctor

    return run_doctor()


def _run_keys(arguments: argparse.Namespace) -> int:
    from parley.commands.keys import run_keys

    return run_keys(arguments)


def _run_usage(arguments: argparse.Namespace) -> int:
    from parley.commands.usage import run_usage

    return run_usage(arguments)


def _run_storage(arguments: argparse.Namespace) -> int:
    from parley.commands.storage import run_storage

    return run_storage(arguments)


def _run_nursery(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.nursery import run_nursery

    return run_nursery(arguments.fd)


def _run_jobs(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.jobs import run_jobs_child

    return run_jobs_child(arguments.queue)
