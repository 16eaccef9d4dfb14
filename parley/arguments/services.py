"""The services and what surrounds them: `api`, `worker`, `dev`, `demo`, `migrate`, `doctor`."""

import argparse
import os
from pathlib import Path

from parley.arguments.adding_commands import Commands, add_command
from parley.arguments.livekit import add_livekit_key, add_livekit_url
from parley.commands.loading import loading

_MOST_SECONDS = 6 * 3600  # as long as their tokens let them join again


def add_services(commands: Commands) -> None:
    """All of them."""
    api = add_command(
        commands,
        "api",
        _run_api,
        "serve the HTTP API",
        "Serves the control API on PARLEY_API_HOST:PARLEY_API_PORT until SIGTERM or SIGINT. It shares nothing with "
        "workers but PostgreSQL (PARLEY_DATABASE_URL, else an embedded one in PARLEY_DATA_DIR) and object storage "
        "(PARLEY_STORAGE_URL).",
    )
    _add_url_file(api)
    worker = add_command(
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
    add_command(
        commands,
        "dev",
        _run_dev,
        "run the whole stack in the foreground",
        "Starts PostgreSQL (embedded, unless PARLEY_DATABASE_URL is set), a LiveKit server on loopback, the API and a "
        "worker, and prints their addresses, a master key and a curl command with a fresh worker token. Ctrl-C stops "
        "everything.",
    )
    demo = add_command(
        commands,
        "demo",
        _run_demo,
        "record a conversation in a real room, and check the file",
        "Starts the whole stack on this machine, lets two talkers meet in a LiveKit room, records them through the API "
        "as a customer would, and checks conversation.wav. Exits with 0 only if the file is right.",
    )
    _add_talkers(demo)
    add_command(
        commands,
        "migrate",
        _run_migrate,
        "bring the database's schema up to date",
        "Creates or upgrades the tables of PARLEY_DATABASE_URL (else of the embedded database). Safe to run from "
        "several machines at once, and when there is nothing to do.",
    )
    add_command(
        commands,
        "doctor",
        _run_doctor,
        "say whether the database is fit for Parley",
        "Looks at PARLEY_DATABASE_URL and PARLEY_DATABASE_DIRECT_URL (else at the embedded database): version, "
        "encoding, rights, schema, whether it takes writes, its clock. Says what to do in a sentence each.",
    )


def _add_talkers(demo: argparse.ArgumentParser) -> None:
    talkers = add_command(
        demo.add_subparsers(title="actions", metavar="ACTION", dest="action"),
        "talkers",
        _run_talkers,
        "let two talkers join a room and talk",
        "Joins the demo's two talkers, alice and bob, to a room of any LiveKit server, such as that of `parley dev`, "
        "and lets them talk to each other, so that there is somebody to record. Their tokens are minted here.",
    )
    add_livekit_url(talkers)
    talkers.add_argument("--room", metavar="NAME", required=True, help="room to join")
    add_livekit_key(talkers)
    talkers.add_argument(
        "--seconds", metavar="N", type=_seconds, default=30, help="they leave after so many (default: %(default)s)"
    )


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"it takes a whole number from 1 to {_MOST_SECONDS}")
    return int(text)


def _add_url_file(parser: argparse.ArgumentParser) -> None:
    text = "written as soon as the port is open, with the base URL; for whoever asked for port 0"
    parser.add_argument("--url-file", metavar="PATH", type=Path, default=None, help=text)


def _run_api(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.api import run_api

    return run_api(url_file=arguments.url_file)


def _run_worker(arguments: argparse.Namespace) -> int:
    from parley.servers.fork_server import ONE_THREAD

    os.environ.update(ONE_THREAD)
    with loading():
        from parley.commands.worker import run_worker

    return run_worker(children_die_by=arguments.children_die_by, url_file=arguments.url_file)


def _run_dev(_arguments: argparse.Namespace) -> int:
    from parley.commands.dev import run_dev

    return run_dev()


def _run_demo(_arguments: argparse.Namespace) -> int:
    from parley.demo.demo_command import run_demo

    return run_demo()


def _run_talkers(arguments: argparse.Namespace) -> int:
    from parley.demo.talkers_command import run_talkers

    return run_talkers(arguments)


def _run_migrate(_arguments: argparse.Namespace) -> int:
    from parley.commands.upkeep.migrate import run_migrate

    return run_migrate()


def _run_doctor(_arguments: argparse.Namespace) -> int:
    from parley.commands.upkeep.doctor import run_doctor

    return run_doctor()
