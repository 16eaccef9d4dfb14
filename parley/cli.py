"""The command line: `parley COMMAND`. Every command is a module of its own that is imported only when it runs."""

import argparse
import errno
import importlib.metadata
import os
import sys
from collections.abc import Sequence

from parley.arguments.account import add_account
from parley.arguments.adding_commands import SETTINGS_HELP, Run
from parley.arguments.children import CHILDREN, build_children_parser
from parley.arguments.command_parser import CommandParser
from parley.arguments.events import add_events
from parley.arguments.keys import add_keys
from parley.arguments.organizations import add_organizations
from parley.arguments.services import add_services
from parley.arguments.sessions import add_sessions
from parley.arguments.storage import add_storage
from parley.arguments.usage import add_usage
from parley.command_error import CommandError
from sessions.errors import DatabaseRefusedError, DatabaseUnavailableError, ParleyError

_OWNER_ONLY_UMASK = 0o077
_EXIT_INTERRUPTED = 130
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_EXIT_PIPE_CLOSED = 141  # as of a program that SIGPIPE ends


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the namespace it makes has `run`, which takes the namespace and returns a code."""
    parser: argparse.ArgumentParser = CommandParser(
        prog="parley",
        description="Parley records voice conversations in LiveKit rooms that its customers own. `sessions`, `events`, "
        "`listen`, `trigger`, `usage export`, `login` and `logout` speak to its API from any machine; the other "
        "commands are the installation's.",
        epilog=SETTINGS_HELP,
    )
    parser.add_argument("--version", action="version", version=f"parley {importlib.metadata.version('parley')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    add_sessions(commands)
    add_events(commands)
    add_usage(commands)
    add_account(commands, parser)
    add_services(commands)
    add_keys(commands)
    add_organizations(commands)
    add_storage(commands)
    return parser


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    return (build_children_parser() if argv and argv[0] in CHILDREN else build_parser()).parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code. Errors are one line on stderr."""
    arguments = _parse(sys.argv[1:] if argv is None else argv)
    os.umask(_OWNER_ONLY_UMASK)  # spool, recordings, database and keys are nobody else's
    run: Run = arguments.run
    if sys.stdout is None:  # as Python has it where the descriptor is closed
        return _complain("stdout is closed", 1)
    try:
        exit_code = run(arguments)
        sys.stdout.flush()
        return exit_code
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except BrokenPipeError:  # `parley keys list | head`: whoever read stdout has seen enough
        _discard_stdout()
        return _EXIT_PIPE_CLOSED
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        _discard_stdout()
        return _complain(f"the output cannot be written: {error.strerror}", 1)
    except CommandError as error:
        return _complain(str(error), error.exit_code)
    except DatabaseRefusedError as error:
        said = str(error.__cause__).partition("\n")[0]
        return _complain(f"{error.message}: {said}. `parley doctor` may say what to do", 1)
    except DatabaseUnavailableError as error:
        return _complain(f"{error.message}: `parley doctor` says what keeps us from it", 1)
    except ParleyError as error:
        return _complain(error.message, 1)


def _discard_stdout() -> None:
    """So that Python's own last flush succeeds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, exit_code: int) -> int:
    from sessions.texts.redaction import redact

    print(f"parley: {redact(message)}", file=sys.stderr)
    return exit_code
