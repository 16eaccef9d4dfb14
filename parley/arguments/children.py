"""Processes that `parley worker` starts."""

import argparse

from parley.commands.loading import loading

CHILDREN = ("nursery", "jobs")


def build_children_parser() -> argparse.ArgumentParser:
    """A parser of their own, as nobody else should start them: neither a help text nor an error lists them."""
    parser = argparse.ArgumentParser(prog="parley")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    nursery = commands.add_parser("nursery", description="Forks recorder processes; started by `parley worker`.")
    nursery.add_argument("--fd", type=int, required=True, help="the socket on which it is asked for them")
    nursery.add_argument("--room", default="", help="room for a recorder's command line, which is longer than this one")
    nursery.set_defaults(run=_run_nursery)
    jobs = commands.add_parser("jobs", description="Runs the jobs of one queue; started by `parley worker`.")
    jobs.add_argument(
        "--queue", choices=["short", "speech"], default="short", help="short: finalizing; speech: the rest"
    )
    jobs.set_defaults(run=_run_jobs)
    return parser


def _run_nursery(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.nursery import run_nursery

    return run_nursery(arguments.fd)


def _run_jobs(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.jobs import run_jobs_child

    return run_jobs_child(arguments.queue)
