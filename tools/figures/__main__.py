"""`python -m tools.figures [NAME …] [--n N] [--seed SEED]`: hurts the stack, and prints how well that was borne."""

import importlib
from collections.abc import Callable, Coroutine
from typing import Any

from bench.measuring.machine import describe
from tools.figures.figure import Figure, Options, pooled
from tools.figures.table import table
from tools.figures.versions import versions
from tools.named_parts import exit_with, parts_parser, run_parts

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
    asked = parts_parser(
        "tools.figures",
        "Hurts the stack and prints a table.",
        "figure",
        {name: text for name, (_, text) in EXPERIMENTS.items()},
        n="values of each figure (default: what takes minutes)",
        seed="of the instants of the faults",
    ).parse_args()
    figures = pooled(
        run_parts(asked, lambda name, seed, folder: _measure(name)(Options(asked.n, seed, folder)), about=versions())
    )
    print(f"\n{table(figures)}\n\n{describe()}", flush=True)
    return 0 if all(figure.met for figure in figures) else 1


def _measure(name: str) -> Measure:
    measure: Measure = importlib.import_module(f"tools.figures.experiments.{EXPERIMENTS[name][0]}").measure
    return measure


if __name__ == "__main__":
    exit_with(main)
