"""Both guards in a network namespace in which the kernel counts packets: none goes to an address that is not public."""

import asyncio
import json
import math
import os
import sys
from pathlib import Path

from tools.attack.row import Effort, Row

_ROOT = Path(__file__).resolve().parents[3]
_SECONDS = 400.0
_LEAST_SEEN = 6


async def attack(effort: Effort) -> list[Row]:
    """N is fixed: every spelling that is known, through both guards."""
    found = await dial_inside(effort.folder)
    return [
        Row("packets to denied networks, rooms", 0, found.get("guard_packets", math.nan), "", _n(found, "guard")),
        Row("packets to denied networks, webhooks", 0, found.get("hook_packets", math.nan), "", _n(found, "hook")),
    ]


async def dial_inside(folder: Path, *options: str) -> dict[str, int]:
    """What `tools.attack.inside_network` has found; nothing where there are no rights or tools for its namespaces."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--net", "--mount", sys.executable, "-m", "tools.attack.inside_network", *options),
        cwd=folder,
        env=_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_SECONDS):
        printed, complaints = await process.communicate()
    found: dict[str, int] = json.loads(printed.splitlines()[-1]) if process.returncode == 0 else {}
    if not found:
        print(complaints.decode(errors="replace")[-3000:])
    else:
        assert found["seen"] >= _LEAST_SEEN, "what is dialed past the guards is not counted"
        assert found["public"] > 0 < found["hook_public"], "the guards dial nothing at all"
    return found


def _n(found: dict[str, int], which: str) -> str:
    return f"{found.get(f'{which}_attempts', 0)} attempts"


def _environment() -> dict[str, str]:
    """Modules are found from the folder of the drill, too."""
    return {**os.environ, "PYTHONPATH": str(_ROOT)}
