"""Crashes of recorder processes, and who pays for them: the session that can have caused them, and nobody else."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from parley.servers.livekit_server import LiveKitServer
from sessions.ids import parse_id
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Process, Stack, eventually
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SLOT_SECONDS, SlotTalker, SlotVoice

pytestmark = pytest.mark.long  # bounds in seconds hold on a machine that does nothing else

LONGEST_SILENCE_MS = 3000  # per crash

Conversations = Callable[..., Any]


@pytest.fixture
def conversations(livekit: LiveKitServer, room: str) -> Conversations:
    """`conversations(stack, n)`: so many sessions that run, each with a talker in a room of its own."""

    @asynccontextmanager
    async def make(stack: Stack, number: int, suffix: str = "") -> AsyncIterator[dict[str, SlotTalker]]:
        async with AsyncExitStack() as talkers:
            talking: dict[str, SlotTalker] = {}
            for name in (f"{room}-{index}{suffix}" for index in range(number)):
                token = mint_token(livekit.api_key, livekit.api_secret, name, "ann")
                talker = await talkers.enter_async_context(SlotTalker(livekit.url, token, SlotVoice(0)))
                talking[(await stack.create(name))["id"]] = talker
            for session_id in talking:
                await stack.reach(session_id, "running")
            yield talking

    return make


def _recorders(worker: Process, word: str = "recorder") -> list[psutil.Process]:
    found = []
    for child in worker.children():
        with suppress(psutil.NoSuchProcess):  # also one that is dead, and not waited for yet
            if word in child.cmdline():
                found.append(child)
    return found


def _for_everybody(worker: Process) -> list[psutil.Process]:
    """Those that were not started for sessions that processes have died with, nor for the next death."""
    return [child for child in _recorders(worker) if "--suspects 0" in " ".join(child.cmdline())]


async def _rows(stack: Stack, query: str, *values: Any) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(stack.database_url) as conn:
        return await (await conn.execute(query, values)).fetchall()


async def _in_their_rooms(stack: Stack, session_ids: list[str], epoch: int) -> bool:
    rows = await _rows(
        stack,
        "SELECT 1 FROM runs JOIN sessions s ON s.id = session_id AND s.epoch = runs.epoch WHERE session_id = ANY(%s)"
        " AND runs.epoch >= %s AND joined_at IS NOT NULL AND released_at IS NULL",
        [parse_id("sess", session_id) for session_id in session_ids],
        epoch,
    )
    return len(rows) == len(session_ids)


async def _lost_in(stack: Stack, session_id: str) -> list[int]:
    """How long nobody recorded it, each time, in milliseconds.

    Besides, a new jitter buffer may make up some of what comes next, which is never as long.
    """
    _, recording = await stack.call("GET", f"/v1/sessions/{session_id}/recording")
    lengths_ms: dict[str, list[int]] = {"gap.worker_lost": [], "gap.concealed": []}
    for gap in recording["gaps"]:
        lengths_ms[gap["code"]].append(gap["end_ms"] - gap["start_ms"])
    assert max(lengths_ms["gap.concealed"], default=0) < 1000, recording
    return lengths_ms["gap.worker_lost"]


async def test_all_recorders_killed_three_times_cost_no_session_its_place(
    stack: Stack, conversations: Conversations, tmp_path: Path
) -> None:
    """kill -9 within 30 s: none of six sessions can have caused that, and all go on."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="2")
    async with conversations(stack, 6) as talking:
        sessions = list(talking)
        for epoch in (2, 3, 4):
            await asyncio.sleep(4)
            recorders = _recorders(worker)
            assert len(recorders) == 2, "nobody is quarantined"
            for child in recorders:
                child.kill()
            await eventually(partial(_in_their_rooms, stack, sessions, epoch), seconds=15, what="all are back")
        await asyncio.sleep(2)
        assert [(await stack.end(session_id))["status"] for session_id in sessions] == ["ended"] * 6

    for session_id, talker in talking.items():
        await assert_never_silently_wrong(stack, session_id, [talker], tmp_path)
        lost = await _lost_in(stack, session_id)
        assert len(lost) == 3
        assert max(lost) <= LONGEST_SILENCE_MS, lost


async def test_a_poisoned_session_is_parted_from_its_neighbors(
    stack: Stack, conversations: Conversations, tmp_path: Path
) -> None:
    """Its process dies soon after each join; the four beside it go on, and it is given up."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="1")
    async with conversations(stack, 5) as talking:
        poisoned, *healthy = talking
        async with asyncio.TaskGroup() as group:
            poison = group.create_task(_crash_whatever_records(stack, poisoned, worker))
            failed = await stack.reach(poisoned, "failed", seconds=60)
            poison.cancel()
        await asyncio.sleep(1)
        assert await _in_their_rooms(stack, healthy, 1)
        assert [(await stack.end(session_id))["status"] for session_id in healthy] == ["ended"] * 4

        async def alone() -> bool:
            return len(_recorders(worker)) == 1

        await eventually(alone, seconds=60, what="the processes for suspects end with them, and spares after a while")

    assert failed["error"]["code"] == "worker.crash_loop"
    for session_id in healthy:
        await assert_never_silently_wrong(stack, session_id, [talking[session_id]], tmp_path)
        lost = await _lost_in(stack, session_id)
        assert len(lost) <= 3, "a crash in quarantine is the suspects' own"
        assert max(lost) <= LONGEST_SILENCE_MS, lost


async def _crash_whatever_records(stack: Stack, session_id: str, worker: Process) -> None:
    """SIGSEGV for every process that has been in the session's room for a second."""
    joined = (
        "SELECT owner FROM runs JOIN sessions s ON s.id = session_id AND s.epoch = runs.epoch WHERE session_id = %s"
        " AND joined_at < clock_timestamp() - interval '1 second' AND released_at IS NULL"
    )
    while True:
        for (owner,) in await _rows(stack, joined, parse_id("sess", session_id)):
            for recorder in _recorders(worker, str(owner)):
                recorder.send_signal(signal.SIGSEGV)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("kills", [int(os.environ.get("PARLEY_TEST_KILLS", "3"))])
async def test_the_only_recorder_killed_costs_less_than_a_second(
    stack: Stack, conversations: Conversations, tmp_path: Path, kills: int
) -> None:
    """kill -9: its successor is forked from a process that has its imports done."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="1")
    lost_seconds, gaps_ms = [], []
    for number in range(kills):
        async with conversations(stack, 1, f"-{number}") as talking:
            [(session_id, talker)] = talking.items()
            await asyncio.sleep(2.5)
            [recorder] = _for_everybody(worker)
            recorder.kill()
            await eventually(partial(_in_their_rooms, stack, [session_id], 2), seconds=15, what="back")
            await asyncio.sleep(2)
            await stack.end(session_id)
        truths = await assert_never_silently_wrong(stack, session_id, [talker], tmp_path)
        lost_seconds.append(truths["ann"].lost * SLOT_SECONDS)
        gaps_ms.append(sum(await _lost_in(stack, session_id)))
    print(f"lost {lost_seconds} s, gaps {gaps_ms} ms")  # noqa: T201 the figures of docs/faults.md
    assert max(lost_seconds) <= 1.0
