"""What `parley worker` starts."""

import argparse

from parley.commands.loading import loading

CHILDREN = ("nursery",)


def build_children_parser() -> argparse.ArgumentParser:
    """A parser of their own, as nobody else should start it: neither a help text nor an error lists it."""
    parser = argparse.ArgumentParser(prog="parley")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    nursery = commands.add_parser("nursery", description="Forks the children of a worker; started by `parley worker`.")
    nursery.add_argument("--fd", type=int, required=True, help="the socket on which it is asked for them")
    nursery.set_defaults(run=_run_nursery)
    return parser


def _run_nursery(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.commands.children.nursery import run_nursery
        from parley.installation.logging import configure_logging
        from parley.installation.settings_loading import load_settings

    settings = load_settings()
    configure_logging(settings.log_level, process="nursery")
    return run_nursery(arguments.fd, settings)
