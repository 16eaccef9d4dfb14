"""One run of schemathesis against a real `parley api`, and what came of it."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley.servers.livekit_server import LiveKitServer
from store.access.api_keys import ApiKeys
from store.database.database import Database
from tests.support.fuzzing.traces import note_traces
from tests.support.running.stack import MASTER_KEY, SECRET_KEY, Stack

ROOT = Path(__file__).resolve().parents[3]
DAY = "86400"
_OPERATOR_KEY = "operator-" + "o" * 40
_LONGEST_LINE = 1000  # of its output: bodies may have 64 KiB
# Nothing happens by itself while requests are looked at: sessions wait, run and stay until they are told otherwise.
PATIENT = {
    "PARLEY_QUEUE_SECONDS": DAY,
    "PARLEY_TAKEOVER_WINDOW_SECONDS": DAY,
    "PARLEY_FINALIZE_RETRY_SECONDS": DAY,
    "PARLEY_FINALIZE_DEADLINE_SECONDS": DAY,
    "PARLEY_MAX_DURATION_SECONDS": DAY,
    "PARLEY_USAGE_INTERVAL_SECONDS": DAY,
    "PARLEY_DATABASE_TIMEOUT_SECONDS": "15",  # test machines are busy
    "PARLEY_ALLOW_PRIVATE_HOSTS": "false",
    "PARLEY_OPERATOR_KEY": _OPERATOR_KEY,
    "PARLEY_LOG_LEVEL": "warning",
}


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look.

    Attributes:
        examples: cases that are made up for each operation, besides examples and edge cases (which have a number of
            their own).
        scenarios: chains of requests along the OpenAPI document's links.
        seed: of the random choices; None: a new one, which the output says.
    """

    examples: int
    scenarios: int
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one run looks at; the runs of all parts look at everything.

    Attributes:
        operations: whose requests are made up each by itself.
        links: whether chains of requests along the OpenAPI document's links are made, of all operations.
        options: more of the command line.
    """

    operations: tuple[str, ...] = ()
    links: bool = False
    options: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """Of the command line."""
        links = self.links and not any("--include" in one for one in self.options)  # they lead to all operations
        phases = [*(["examples,coverage,fuzzing"] if self.operations else []), *(["stateful"] if links else [])]
        named = () if self.options or links else self.operations
        return [
            *(() if any("--phases" in one for one in self.options) else ("--phases", ",".join(phases))),
            *(("--include-path-regex", ".") if links else ()),  # left to itself it leaves /openapi.json out
            *(word for name in named for word in ("--include-operation-id", name)),
            *self.options,
        ]


def parts_of(operations: Sequence[str], number: int) -> dict[str, Part]:
    """So many shares of the operations that take about as long as each other, and one of the links."""
    shares = {f"operations {first + 1} of {number}": tuple(operations[first::number]) for first in range(number)}
    return {**{name: Part(operations=share) for name, share in shares.items()}, "links": Part(links=True)}


@dataclass(frozen=True, slots=True)
class Finding:
    """What schemathesis says.

    Attributes:
        ok: it found nothing, and the API logged no crash.
        output: what it printed.
        answers: operation → status → how many; of methods that a path hasn't as `TRACE /path`.
        excused: operation → what excused a refusal → how often.
        checked: answers to which all checks were applied.
        links: of the OpenAPI document, that were followed.
    """

    ok: bool
    output: str
    answers: dict[str, dict[str, int]]
    excused: dict[str, dict[str, int]]
    checked: int
    links: int

    def table(self) -> str:
        """An operation a line, then the totals."""
        lines = [f"{'operation':32}" + "".join(f"{first}xx".rjust(8) for first in "2345")]
        totals = [0, 0, 0, 0]
        for operation, statuses in sorted(self.answers.items()):
            row = [sum(n for status, n in statuses.items() if status[0] == first) for first in "2345"]
            totals = [total + n for total, n in zip(totals, row, strict=True)]
            if " " not in operation:
                lines.append(f"{operation:32}" + "".join(f"{n:8}" for n in row))
        lines.append(f"{'all, other methods included':32}" + "".join(f"{n:8}" for n in totals))
        excused = sum(sum(reasons.values()) for reasons in self.excused.values())
        lines.append(f"{self.checked} answers checked, {self.links} links followed, {excused} refusals excused")
        return "\n".join(lines)

    def asked(self, operation: str) -> int:
        """How many requests an operation got."""
        return sum(self.answers.get(operation, {}).values())

    def succeeded(self, operation: str) -> int:
        """How many 2xx, and redirects, an operation answered."""
        return sum(n for status, n in self.answers.get(operation, {}).items() if status[0] in "23")


async def fuzz(database_url: str, folder: Path, part: Part, effort: Effort, *, seconds: float) -> Finding:
    """Run schemathesis against an API of its own, on a migrated database that nobody else uses.

    Raises:
        subprocess.TimeoutExpired: it took more than so many seconds.
    """
    note_traces(database_url)
    never_started = LiveKitServer(folder / "livekit-server", folder)  # no session of this stack joins a room
    async with Stack(folder, database_url, never_started, settings=PATIENT) as stack:
        await stack.start_api()
        await _write_identities(database_url, folder / "identities.json")
        (folder / "schemathesis.toml").write_text(_CONFIG.format(examples=effort.examples, scenarios=effort.scenarios))
        done = await asyncio.to_thread(
            subprocess.run,
            _command(stack.bases[0], part, effort),
            cwd=folder,
            env=_environment(database_url, folder, stack.bases[0]),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        crashes = [line for line in stack.processes[0].log().splitlines() if "request.crashed" in line]
    assert (folder / "tally.json").exists(), f"schemathesis did not start: {done.stdout}"
    tally: dict[str, Any] = json.loads((folder / "tally.json").read_text())
    links = re.search(r"API Links: +(\d+) covered", done.stdout)
    return Finding(
        ok=done.returncode == 0 and not crashes,
        output="\n".join(line[:_LONGEST_LINE] for line in [*done.stdout.splitlines(), *crashes]),
        answers=tally["answers"],
        excused=tally["excused"],
        checked=tally["checked"],
        links=int(links[1]) if links else 0,
    )


def _command(base_url: str, part: Part, effort: Effort) -> list[str]:
    return [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", "schemathesis.toml", "run", f"{base_url}/openapi.json"),
        *("--checks", "all", "--workers", "1", "--no-color"),
        *(() if effort.seed is None else ("--seed", str(effort.seed))),
        *part.arguments(),
    ]


async def _write_identities(database_url: str, path: Path) -> None:
    """Ours, and a stranger's of another organization, who must see nothing of ours."""
    async with Database.open(database_url, timeout_seconds=10, application_name="test") as db:
        _, stranger = await ApiKeys(db).create("stranger")
    keys = {"owner": MASTER_KEY, "stranger": stranger.get_secret_value()}
    entries = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {key}"}]}
        for name, key in keys.items()
    ]
    path.write_text(json.dumps({"auth": entries}))


def _environment(database_url: str, folder: Path, base_url: str) -> dict[str, str]:
    return {
        # Tracing what schemathesis computes, which is not ours, takes ten times as long as computing it.
        **{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
        "PYTHONPATH": str(ROOT),
        # Where Hypothesis keeps what constants our modules have; to read them in each run anew takes seconds.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis"),
        "SCHEMATHESIS_HOOKS": "tests.support.fuzzing.hooks",
        "FUZZING_BASE_URL": base_url,
        "FUZZING_KEY": MASTER_KEY,
        "FUZZING_OPERATOR_KEY": _OPERATOR_KEY,
        "FUZZING_DATABASE_URL": database_url,
        "FUZZING_STORAGE_URL": f"file://{folder / 'objects'}",
        "FUZZING_SECRET_KEY": SECRET_KEY,
        "FUZZING_TALLY": str(folder / "tally.json"),
    }


_CONFIG = """
request-timeout = 60

[generation]
database = "none"
max-examples = {examples}

# The document's own links. With those that schemathesis would infer, its scenarios begin with commands to random ids.
# Every request along them is meant to be right, as one that is refused leads nowhere.
[phases.stateful]
inference.algorithms = []
generation.max-examples = {scenarios}
generation.mode = "positive"

# What it makes up depends on the seed alone. Values taken from earlier answers change while Hypothesis repeats a case:
# then it gives up on the operation, silently.
[phases.fuzzing]
extra-data-sources.responses = false
error-feedback.enabled = false

[auth.wfc]
path = "identities.json"
user = "owner"
peers = ["owner", "stranger"]

# What is wrong is refused for that, and not because something isn't there or may not be done now (404, 409).
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "405", "406", "413", "415", "416", "422"]
"""
