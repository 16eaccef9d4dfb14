"""schemathesis reads the OpenAPI document and tries to prove that the server doesn't keep it."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.api_server import MASTER_KEY, ApiServer

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = int(os.environ.get("PARLEY_SCHEMATHESIS_EXAMPLES", "0"))
# A tenth of a second an operation and example, on a machine that does other things as well.
SECONDS = 240 + EXAMPLES * 12


@pytest.mark.skipif(EXAMPLES == 0, reason="PARLEY_SCHEMATHESIS_EXAMPLES is not set")
async def test_schemathesis_finds_nothing(api: ApiServer, tmp_path: Path) -> None:
    """All checks; examples, coverage, fuzzing and links. PARLEY_SCHEMATHESIS_EXAMPLES=2000 looks longer."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    done = await asyncio.to_thread(
        subprocess.run,
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", "schemathesis.toml"),
            *("run", f"{api.base_url}/openapi.json"),
            *("--header", f"Authorization: Bearer {MASTER_KEY}"),
            *("--checks", "all"),
            *("--max-examples", str(EXAMPLES)),
            *("--generation-deterministic", "--no-color"),
        ],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# 422 where a right request may still make no sense: a cursor that is no row, a token for another room.
# NUL is refused in every text, which no schema says.
CONFIG = """
[generation]
allow-x00 = false

[[operations]]
include-name = ["GET /v1/usage/events", "PUT /v1/sessions/{session_id}/worker_token"]
[operations.checks]
positive_data_acceptance.expected-statuses = ["2XX", "401", "403", "404", "409", "422"]
"""
