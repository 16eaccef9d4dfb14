"""`python -m tools.attack [NAME …] [--n N] [--seed SEED]`: attacks a stack of its own, and prints what held."""

import argparse
import asyncio
import importlib
import math
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
from tools.attack.row import Effort, Row, table

# Each is a function `attack` of the module of that name.
DRILLS = {
    "crawler": "another tenant's keys ask for everything of a tenant, in all five styles",
    "fuzzed-bodies": "bodies that are nearly right, or not at all",
    "denied-networks": "every way to dial the inside of the network, past both guards (needs root)",
    "fair-queue": "a tenant with hundreds of sessions towards a silent server, beside another one",
    "flooded-recorder": "rooms' servers that flood, beside somebody who talks",
    "slow-clients": "thousands of clients that send half a head",
    "long-transcripts": "readers of a very long transcript",
    "long-waveforms": "readers of the waveform of hours",
}

Attack = Callable[[Effort], Coroutine[Any, Any, list[Row]]]


def main() -> int:
    """The exit code: 1 where a target is missed."""
    arguments = _parser().parse_args()
    interrupt_on_sigterm()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10_000)
    rows: list[Row] = []
    print(f"{describe()}\nseed {seed}", flush=True)
    for name in arguments.names or DRILLS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True) as folder:
            rows += asyncio.run(_attack(name)(Effort(arguments.n, seed, Path(folder), arguments.seconds)))
        print(f"{name} took {time.monotonic() - began:.0f} s", flush=True)
    print(f"\n{table(rows)}\n\n{describe()}", flush=True)
    return 0 if all(row.met for row in rows) else 1


def _attack(name: str) -> Attack:
    attack: Attack = importlib.import_module(f"tools.attack.drills.{name.replace('-', '_')}").attack
    return attack


def _parser() -> argparse.ArgumentParser:
    summary = "\n".join(f"  {name:<18}{text}" for name, text in DRILLS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tools.attack",
        description=f"Attacks a stack and prints a table.\n\n{summary}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help="default: all")
    parser.add_argument("--n", type=int, default=None, help="of each drill's own (default: as docs/security.md has it)")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="bound of the drills that count (default: none)"
    )
    parser.add_argument("--seed", type=int, default=None, help="of what is made at random (default: a random one)")
    return parser


def _name(text: str) -> str:
    if text not in DRILLS:
        raise argparse.ArgumentTypeError(f"there is no drill {text}; there are {', '.join(DRILLS)}")
    return text


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os._exit(130)
