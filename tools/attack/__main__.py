"""`python -m tools.attack [NAME …] [--n N] [--seed SEED]`: attacks a stack of its own, and prints what held."""

import importlib
import math
from collections.abc import Callable, Coroutine
from typing import Any

from bench.measuring.machine import describe
from tools.attack.row import Effort, Row, table
from tools.named_parts import exit_with, parts_parser, run_parts

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
    parser = parts_parser(
        "tools.attack",
        "Attacks a stack and prints a table.",
        "drill",
        DRILLS,
        n="of each drill's own (default: as docs/security.md has it)",
        seed="of what is made at random",
    )
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="bound of the drills that count (default: none)"
    )
    asked = parser.parse_args()
    rows = run_parts(asked, lambda name, seed, folder: _attack(name)(Effort(asked.n, seed, folder, asked.seconds)))
    print(f"\n{table(rows)}\n\n{describe()}", flush=True)
    return 0 if all(row.met for row in rows) else 1


def _attack(name: str) -> Attack:
    attack: Attack = importlib.import_module(f"tools.attack.drills.{name.replace('-', '_')}").attack
    return attack


if __name__ == "__main__":
    exit_with(main)
