"""`parley completion`: a script that completes the command line, made from its parser."""

import argparse
from pathlib import Path
from typing import Any

import shtab


def run_completion(parser: argparse.ArgumentParser, shell: str) -> int:
    """Print the script for `shell`."""
    _complete_paths(parser)
    print(shtab.complete(parser, shell=shell))
    return 0


def _complete_paths(parser: argparse.ArgumentParser) -> None:
    """Arguments that are paths are completed as such; shtab reads that from an attribute."""
    for action in parser._actions:
        if action.type is Path:
            completed: Any = action
            completed.complete = shtab.FILE
        elif isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _complete_paths(below)
