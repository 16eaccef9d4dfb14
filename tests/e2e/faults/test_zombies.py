"""Recorder processes that stood still while another took their sessions, and that go on, or would."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import soundfile

from sessions.ids import parse_id
from tests.support.rules.bill import assert_balances
from tests.support.running.stack import Process, Stack, eventually
from tests.support.talkers.beeps import BeepPlan, check_beeps

PLAN = BeepPlan(pitch_hz=850)
TIMES = int(os.environ.get("PARLEY_TEST_ZOMBIES", "1"))  # docs/faults.md has what 20 showed


async def _rows(stack: Stack, query: str, *values: Any) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(stack.database_url) as conn:
        return await (await conn.execute(query, values)).fetchall()


async def _joined(stack: Stack, session_id: str, epoch: int) -> bool:
    query = "SELECT 1 FROM runs WHERE session_id = %s AND epoch = %s AND joined_at < now()"
    return bool(await _rows(stack, query, parse_id("sess", session_id), epoch))


async def _zombie_of(stack: Stack, session_id: str, worker: Process) -> psutil.Process:
    [(owner,)] = await _rows(stack, "SELECT owner FROM runs WHERE session_id = %s", parse_id("sess", session_id))
    return worker.child(str(owner))


async def test_a_stopped_recorder_never_wakes(stack: Stack, room: str, talker: Callable[..., Any]) -> None:
    """SIGSTOP: its supervisor kills it before its session is another one's, which keeps the room."""
    await stack.start_api()
    worker = await stack.start_worker()
    for number in range(TIMES):
        async with talker("ann", PLAN):
            session = await stack.create(room)
            await stack.reach(session["id"], "running")
            await asyncio.sleep(2)
            zombie = await _zombie_of(stack, session["id"], worker)
            zombie.suspend()
            await eventually(partial(_joined, stack, session["id"], 2), seconds=6, what="it was taken over")
            with suppress(psutil.NoSuchProcess):
                zombie.resume()
            await asyncio.sleep(2)
            ended = await stack.end(session["id"])
        assert (ended["status"], ended["epoch"]) == ("ended", 2)
        assert not zombie.is_running()
        log = worker.log()
        assert log.count("child.silent") == number + 1
        assert "room.lost" not in log, "its successor was not evicted"


@pytest.mark.long
async def test_a_paused_host_that_goes_on_hurts_nobody(
    stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """All its processes stand still for longer than stalled_seconds, a takeover, SIGCONT: nothing that they say counts
    any more, and what was recorded is in the file. The successor may be evicted once, and is back."""
    await stack.start_api()
    evicted = 0
    for number in range(TIMES):
        first = await stack.start_worker(f"first-{number}")
        async with talker("ann", PLAN):
            session = await stack.create(room)
            await stack.reach(session["id"], "running")
            second = await stack.start_worker(f"second-{number}")
            await asyncio.sleep(5)
            zombie = await _zombie_of(stack, session["id"], first)
            paused = [psutil.Process(first.popen.pid), *first.children()]
            for process in paused:
                process.suspend()
            await eventually(partial(_joined, stack, session["id"], 2), seconds=20, what="the second worker has it")
            await asyncio.sleep(2)
            before = await _said(stack, session["id"])
            for process in paused:
                process.resume()
            await eventually(partial(_sealed, stack, session["id"]), seconds=20, what="what the zombie had is sealed")
            await asyncio.sleep(6)
            assert not zombie.is_running(), "it must not wake"
            assert (await stack.get(session["id"]))["status"] == "running"
            assert before == await _said(stack, session["id"])
            ended = await stack.end(session["id"])
        evicted += "room.lost" in second.log()
        await _assert_right(stack, ended, tmp_path)
        for worker in (first, second):
            worker.popen.send_signal(signal.SIGKILL)
            worker.popen.wait()
    print(f"evicted {evicted} of {TIMES}")  # noqa: T201 the figure of docs/faults.md


async def _said(stack: Stack, session_id: str) -> list[Any]:
    key = parse_id("sess", session_id)
    proven = "SELECT billable_ms, frames, beat_at FROM runs WHERE session_id = %s AND epoch = 1"
    events = "SELECT type, epoch FROM session_events WHERE session_id = %s ORDER BY seq"
    return [*await _rows(stack, proven, key), *await _rows(stack, events, key)]


async def _sealed(stack: Stack, session_id: str) -> bool:
    sealed = "SELECT 1 FROM runs WHERE session_id = %s AND epoch = 1 AND sealed_at IS NOT NULL"
    return bool(await _rows(stack, sealed, parse_id("sess", session_id)))


async def _assert_right(stack: Stack, ended: dict[str, Any], folder: Path) -> None:
    assert (ended["status"], ended["epoch"]) == ("ended", 2)
    samples, rate = soundfile.read(await stack.download(ended["id"], folder / "a.wav"), dtype="int16")
    _, recording = await stack.call("GET", f"/v1/sessions/{ended['id']}/recording")
    seconds = len(samples) / rate
    lost = [gap for gap in recording["gaps"] if gap["code"] == "gap.worker_lost"]
    assert recording["state"] == "incomplete"
    assert check_beeps(samples, PLAN, 1.5, lost[0]["start_ms"] / 1000).presence >= 0.8
    assert check_beeps(samples, PLAN, recording["gaps"][-1]["end_ms"] / 1000 + 1, seconds - 0.5).presence >= 0.99
    _, page = await stack.call("GET", f"/v1/usage/events?session_id={ended['id']}&limit=100")
    assert_balances(page["data"], ended, recording)
    assert ended["usage"]["billable_ms"] <= seconds * 1000 - sum(gap["end_ms"] - gap["start_ms"] for gap in lost) + 500
