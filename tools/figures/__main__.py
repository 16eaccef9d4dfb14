"""`python -m tools.figures [NAME …] [--n N] [--seed SEED]`: hurts the stack, and prints how well that was borne."""

import argparse
import asyncio
import importlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench.measuring.machine import describe
from parley.servers.local_stack import interrupt_on_sigterm
from tools.figures.figure import Figure, Options, pooled
from tools.figures.table import table
from tools.figures.versions import versions

# Each is a function `measure` of a module; the values of figures of the same name are put together.
EXPERIMENTS: dict[str, tuple[str, str]] = {
    "undisturbed": ("undisturbed", "where speech lies when nothing is hurt"),
    "drift": ("drift", "one session of N minutes: where its speech lies at the end, and where at the beginning"),
    "growth": ("growth", "N sessions one after the other: memory, descriptors and threads of each process"),
    "child": ("killed_child", "kill -9 of one of two recorder processes"),
    "only-child": ("killed_only_child", "kill -9 of the only recorder process"),
    "hand-over": ("hand_over", "SIGTERM of a worker with eight sessions, beside another one"),
    "neighbours": ("neighbours", "a session whose process dies again and again, beside four healthy ones"),
    "stale-writes": ("stale_writes", "what a replaced run tries to write"),
    "database": ("database_fault", "requests to the API while PostgreSQL is frozen"),
}

Measure = Callable[[Options], Coroutine[Any, Any, list[Figure]]]


def main() -> int:
    """The exit code: 1 where a goal is missed."""
    arguments = _parser().parse_args()
    interrupt_on_sigterm()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10_000)
    names = arguments.names or list(EXPERIMENTS)
    measured: list[Figure] = []
    print(f"{describe()}\n{versions()}\nseed {seed}", flush=True)
    for name in names:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(
            prefix="figures-", ignore_cleanup_errors=True
        ) as folder:  # its PostgreSQL ends
            measured += asyncio.run(_measure(name)(Options(arguments.n, seed, Path(folder))))
        print(f"{name} took {time.monotonic() - began:.0f} s", flush=True)
    figures = pooled(measured)
    print(f"\n{table(figures)}\n\n{describe()}", flush=True)
    return 0 if all(figure.met for figure in figures) else 1


def _measure(name: str) -> Measure:
    measure: Measure = importlib.import_module(f"tools.figures.experiments.{EXPERIMENTS[name][0]}").measure
    return measure


def _parser() -> argparse.ArgumentParser:
    summary = "\n".join(f"  {name:<14}{text}" for name, (_, text) in EXPERIMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tools.figures",
        description=f"Hurts the stack and prints a table.\n\n{summary}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help="default: all")
    parser.add_argument("--n", type=int, default=None, help="values of each figure (default: what takes minutes)")
    parser.add_argument("--seed", type=int, default=None, help="of the instants of the faults (default: a random one)")
    return parser


def _name(text: str) -> str:
    if text not in EXPERIMENTS:
        raise argparse.ArgumentTypeError(f"there is no figure {text}; there are {', '.join(EXPERIMENTS)}")
    return text


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os._exit(130)
