"""A tool of parts that have names: those that are asked for run one after the other, each in a folder of its own."""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from bench.measuring.machine import describe
from parley.servers.local_stack import interrupt_on_sigterm

_Found = TypeVar("_Found")
_EXIT_INTERRUPTED = 130


def parts_parser(
    prog: str, does: str, one: str, parts: Mapping[str, str], *, n: str, seed: str
) -> argparse.ArgumentParser:
    """The names of parts, `--n` and `--seed`; all parts without names.

    Args:
        does: what the tool does, a sentence.
        one: what a part is called.
        parts: what each does, by its name.
        n, seed: help texts.
    """

    def name(text: str) -> str:
        if text not in parts:
            raise argparse.ArgumentTypeError(f"there is no {one} {text}; there are {', '.join(parts)}")
        return text

    width = max(map(len, parts)) + 2
    summary = "\n".join(f"  {part:<{width}}{text}" for part, text in parts.items())
    parser = argparse.ArgumentParser(
        prog=f"python -m {prog}",
        description=f"{does}\n\n{summary}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=name, default=list(parts), help="default: all")
    parser.add_argument("--n", type=int, default=None, help=n)
    parser.add_argument("--seed", type=int, default=None, help=f"{seed} (default: a random one)")
    return parser


def run_parts(
    arguments: argparse.Namespace,
    part: Callable[[str, int, Path], Coroutine[Any, Any, list[_Found]]],
    *,
    about: str = "",
) -> list[_Found]:
    """What came of all of them, in order.

    Args:
        arguments: as `parts_parser` reads them.
        part: runs one: its name, the seed, a folder with a short path, removed afterwards.
        about: printed with the machine and the seed.
    """
    interrupt_on_sigterm()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10_000)
    print("\n".join(line for line in (describe(), about, f"seed {seed}") if line), flush=True)
    found: list[_Found] = []
    for name in arguments.names:
        began = time.monotonic()
        # A PostgreSQL in it may still be ending.
        with tempfile.TemporaryDirectory(prefix="part-", ignore_cleanup_errors=True) as folder:
            found += asyncio.run(part(name, seed, Path(folder)))
        print(f"{name} took {time.monotonic() - began:.0f} s", flush=True)
    return found


def exit_with(main: Callable[[], int]) -> NoReturn:
    """End the program with the code that `main` returns; when it is interrupted, at once."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os._exit(_EXIT_INTERRUPTED)
