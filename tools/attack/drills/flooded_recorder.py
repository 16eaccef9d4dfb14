"""Rooms' servers that flood whoever joins, again and again: recorders stay small, who talks beside them is heard."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from sessions.settings import Settings
from tests.support.network.hostile_room import PONG, HostileRoom, flooding
from tests.support.running.stack import Process, Stack
from tools.attack.row import Effort, Row
from tools.figures.figure import Options
from tools.figures.scene import Scene
from tools.figures.session_figures import lost_seconds
from worker.vitals.process_memory import MIB, resident_bytes
from worker.vitals.wear import MemoryMarks

HOSTILE = 24
_NEIGHBORS = 2
_AT_ONCE = 6
_LOOK_SECONDS = 0.05
_AFTER_SECONDS = 3.0
_LARGE = b"\x82\x7e\x7f\xff" + b"\x2a\xfc\xff\x01" + bytes(32763)
"""A websocket frame of 32 KiB that begins like the update of a participant."""


async def attack(effort: Effort) -> list[Row]:
    """N is a number of sessions in rooms that flood."""
    hostile = effort.n or HOSTILE
    mark = MemoryMarks.of(Settings()).soft_bytes / MIB
    async with AsyncExitStack() as stays:
        scene = await stays.enter_async_context(Scene.open(Options(None, effort.seed, effort.folder)))
        worker = await scene.stack.start_worker(PARLEY_SPEECH_ENGINE="none")
        rooms = [await stays.enter_async_context(flooding("127.0.0.1", frame)) for frame in (PONG, _LARGE)]
        before = {process.pid for process in worker.living("recorder")}
        async with scene.sessions(_NEIGHBORS) as spoken:
            await asyncio.sleep(_AFTER_SECONDS)
            began = time.time()
            largest, codes = await _flood(scene.stack, worker, rooms, hostile)
            await asyncio.sleep(_AFTER_SECONDS)
            evidence = await scene.end(spoken)
        replaced = len(before - {process.pid for process in worker.living("recorder")})
    pairs = [(one.talkers[0], seen) for one, seen in zip(spoken, evidence, strict=True)]
    lost = [sum(lost_seconds(talker.sent, seen.truth_of(talker), [began])) for talker, seen in pairs]
    undeclared = sum(len(seen.truth_of(talker).undeclared) for talker, seen in pairs)
    sent = sum(room.sent_bytes for room in rooms) / MIB
    print(f"{hostile} floods of {sent:.0f} MiB in all ended {codes}, {replaced} recorders were replaced", end="; ")
    print(f"neighbors lost {lost} s, {undeclared} slots of it undeclared")
    n = f"{hostile} rooms that flood"
    return [
        Row("memory of a recorder under floods", mark, largest, "MiB", n),
        Row("speech that a neighbor lost", 1, max(lost), "s", f"{_NEIGHBORS} neighbors in the same process"),
    ]


async def _flood(stack: Stack, worker: Process, rooms: list[HostileRoom], count: int) -> tuple[float, dict[str, int]]:
    """The largest that a recorder was meanwhile, in MiB, and how many sessions ended with which code."""
    largest, codes = 0.0, dict[str, int]()
    over = asyncio.Event()

    async def watch() -> None:
        nonlocal largest
        while not over.is_set():
            for process in worker.living("recorder"):
                largest = max(largest, resident_bytes(process.pid) / MIB)
            await asyncio.sleep(_LOOK_SECONDS)

    async def be_flooded(numbers: Any) -> None:
        for number in numbers:
            session = await stack.create(f"hostile-{number}", transport={"url": rooms[number % len(rooms)].url})
            path, wait = f"/v1/sessions/{session['id']}?until=terminal", {"Prefer": "wait=30"}
            status, ended = await stack.call("GET", path, headers=wait)
            assert status == 200, ended
            code = ended["error"]["code"] if ended["error"] else ended["status"]
            codes[code] = codes.get(code, 0) + 1

    numbers = iter(range(count))
    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        async with asyncio.TaskGroup() as floods:
            for _ in range(_AT_ONCE):
                floods.create_task(be_flooded(numbers))
        await asyncio.sleep(_AFTER_SECONDS)
        over.set()
    return largest, codes
