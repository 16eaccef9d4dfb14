"""`parley api` whose log nobody reads: whoever collects it stands still, or has gone."""

import re
import sys
from pathlib import Path

import pytest

from parley.servers.livekit_server import LiveKitServer
from tests.support.running import full_pipe
from tests.support.running.stack import Stack


@pytest.mark.parametrize("reader", ["stalled", "gone"])
async def test_an_api_whose_log_nobody_reads_goes_on_answering(
    tmp_path: Path, database_url: str, livekit: LiveKitServer, reader: str
) -> None:
    """Requests that write a line each are answered, lines that are gone are counted, and the process ends in order."""
    async with Stack(tmp_path, database_url, livekit) as stack:
        api = await stack.start_api(prefix=(sys.executable, full_pipe.__file__, reader))

        for number in range(20):
            await stack.create(f"room-{number}")
        status, health = await stack.call("GET", "/healthz")
        _, metrics = await stack.call("GET", "/metrics")

        assert status == 200, health
        [dropped] = re.findall(r"^parley_api_log_lines_dropped_total (\S+)$", metrics, re.MULTILINE)
        assert (float(dropped) >= 20) == (reader == "gone")  # what waits for a reader is not dropped yet
        assert api.terminate() == 0
