"""schemathesis reads the OpenAPI document and tries to prove that the server doesn't keep it."""

import os
import shlex
from pathlib import Path

import pytest

from control_api.operations import OPERATIONS
from tests.support.fuzzing.run import Effort, Part, fuzz, parts_of

# `make schemathesis` looks longer: so many cases for each operation and as many chains along the OpenAPI links.
EXAMPLES = int(os.environ.get("PARLEY_SCHEMATHESIS_EXAMPLES", "0"))
QUICK = Effort(examples=2, scenarios=60)
# CI looks at the same cases each time, so that what it says is about the change; developers' runs take new ones.
SEED = os.environ.get("PARLEY_SCHEMATHESIS_SEED") or ("1" if "CI" in os.environ else None)
OPTIONS = tuple(shlex.split(os.environ.get("PARLEY_SCHEMATHESIS_OPTIONS", "")))
# A quiet machine needs a tenth.
SECONDS_QUICK = 900
SECONDS_PER_EXAMPLE = 20
# A stream has no end that could be waited for.
FINITE = [operation for operation in OPERATIONS if not operation.path.endswith("/events/stream")]
NAMES = [operation.name for operation in FINITE]
# Those that there is more than one request to; Hypothesis gives up silently on what it can't repeat.
VARIED = [operation.name for operation in FINITE if operation.query or operation.body or "{" in operation.path]
LEAST_LINKS = 20  # of the OpenAPI document, that are followed
# Options may leave operations or links out: then the run does not look whether all were tried.
PARTS = {"as asked": Part(tuple(NAMES), links=True, options=OPTIONS)} if OPTIONS else parts_of(NAMES, 4)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
async def test_schemathesis_finds_nothing(part: Part, database_url: str, tmp_path: Path) -> None:
    """All checks; examples, edge cases, made-up cases and links. Every operation gets through, and is refused."""
    chosen = Effort(EXAMPLES, EXAMPLES) if EXAMPLES else QUICK
    effort = Effort(chosen.examples, chosen.scenarios, None if SEED is None else int(SEED))
    seconds = SECONDS_QUICK + SECONDS_PER_EXAMPLE * EXAMPLES

    finding = await fuzz(database_url, tmp_path, part, effort, seconds=seconds)

    print(finding.table())  # noqa: T201 - what a long run is for
    assert finding.ok, finding.output
    if not OPTIONS:
        assert [name for name in part.operations if not finding.succeeded(name)] == []
        assert [name for name in part.operations if name in VARIED and finding.asked(name) < effort.examples] == []
        assert finding.links >= (LEAST_LINKS if part.links else 0)


def test_the_parts_are_the_whole() -> None:
    """Each operation is in one part, and the links in one."""
    parts = parts_of(NAMES, 4).values()
    assert sorted(name for part in parts for name in part.operations) == sorted(NAMES)
    assert [part.links for part in parts].count(True) == 1
