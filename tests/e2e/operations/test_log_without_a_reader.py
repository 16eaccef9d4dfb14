"""A worker whose log nobody reads records all the same."""

import asyncio
import re
import sys
from collections.abc import Callable
from typing import Any

from tests.support.rules.holes import holes
from tests.support.running import full_pipe
from tests.support.running.stack import Stack, eventually
from tests.support.talkers.beeps import BeepPlan


async def test_a_recorder_process_counts_the_lines_that_nobody_reads(stack: Stack, room: str) -> None:
    """It tells its supervisor, which shows them beside its own; whoever collects their log has gone."""
    await stack.start_api()
    await stack.start_worker(prefix=(sys.executable, full_pipe.__file__, "gone"), PARLEY_SPEECH_ENGINE="none")
    url = (stack.folder / "worker.url").read_text().strip()

    async def dropped() -> dict[str, float]:
        _, page = await stack.call("GET", "/metrics", base=url)
        found = re.findall(r'^parley_worker_log_lines_dropped_total{process="([\w-]+)"} (\S+)$', page, re.MULTILINE)
        return {process: float(lines) for process, lines in found}

    async def counted() -> bool:
        return (await dropped())["recorder-0"] > before["recorder-0"]

    before = await dropped()
    assert set(before) == {"supervisor", "recorder-0"}
    await stack.create(room)
    await eventually(counted, what="the line that says that a session was claimed")


async def test_a_worker_whose_log_nobody_reads_records_and_stops(
    stack: Stack, room: str, talker: Callable[..., Any]
) -> None:
    """Whoever collects its log stands still: the recording is whole, and SIGTERM ends it."""
    await stack.start_api()
    worker = await stack.start_worker(
        prefix=(sys.executable, full_pipe.__file__, "stalled"), PARLEY_SPEECH_ENGINE="none", PARLEY_LOG_LEVEL="debug"
    )
    async with talker("ann", BeepPlan(pitch_hz=700)):
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(5)
        await stack.end(session["id"])

    status, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert (status, recording["state"], holes(recording["gaps"])) == (200, "available", [])
    assert await asyncio.to_thread(worker.terminate) == 0
