"""Readers of a transcript of 120 MB, again and again: the API stays small, and others get their answers."""

import asyncio
import json
from contextlib import suppress

import aiohttp
import psutil

from tests.support.stack import MASTER_KEY
from tools.attack.api_scene import UNLIMITED, Client, attacked, new_key
from tools.attack.neighbor import Waited, ask
from tools.attack.row import Effort, Row

READERS = 4
_MESSAGES, _BYTES = 2000, 60_000
_WRITERS = 8
_REQUESTS = 200
_MOST_GROWN_MB = 8 * READERS


async def attack(effort: Effort) -> list[Row]:
    """N is a number of messages of 60 KB."""
    messages = effort.n or _MESSAGES
    async with attacked(effort, api=UNLIMITED) as stack, aiohttp.ClientSession() as http:
        customer = Client(http, stack.bases[0], MASTER_KEY)
        neighbor = Client(http, stack.bases[0], new_key(stack, "neighbor"))
        status, made = await stack.call("POST", "/api/sessions", {"agent_id": "agent"})
        assert status == 201, made
        await _write(customer, made["id"], messages)
        api = psutil.Process(stack.processes[0].popen.pid)
        await ask(neighbor, 50)
        alone = await ask(neighbor, _REQUESTS)
        beside, grown, read_mb = await _beside_readers(http, customer, neighbor, made["id"], api)
    print(
        f"alone: {alone}\nbeside {READERS} readers, who read {read_mb:.0f} MB: {beside}; the API grew by {grown:.0f} MB"
    )
    n = f"{_REQUESTS} requests, {messages * _BYTES / 1e6:.0f} MB"
    return [
        Row("p99 beside four readers of a long transcript", 2, beside.p99 / alone.p99, "× alone", n),
        Row("requests refused beside them", 0, beside.refused, "", n),
        Row("growth of the API with four readers", _MOST_GROWN_MB, grown, "MB", f"{read_mb:.0f} MB read"),
    ]


async def _write(customer: Client, session_id: str, messages: int) -> None:
    numbers = iter(range(messages))

    async def write() -> None:
        for number in numbers:
            body = json.dumps(
                {"role": "user", "content": f"{number} " + "é" * (_BYTES // 2)}, ensure_ascii=False
            ).encode()
            headers = {"Content-Type": "application/json"}
            path = f"/v1/sessions/{session_id}/messages"
            status, text = await customer.send("POST", path, data=body, headers=headers)
            assert status == 201, text

    async with asyncio.TaskGroup() as group:
        for _ in range(_WRITERS):
            group.create_task(write())


async def _beside_readers(
    http: aiohttp.ClientSession, customer: Client, neighbor: Client, session_id: str, api: psutil.Process
) -> tuple[Waited, float, float]:
    """What the neighbor waited, how much the API grew, and how much was read; both in MB."""
    before = most = api.memory_info().rss
    read = 0

    async def read_again_and_again() -> None:
        nonlocal read
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                url = f"{customer.base}/v1/sessions/{session_id}/transcript"
                async with http.get(url, headers={"Authorization": f"Bearer {MASTER_KEY}"}) as answer:
                    async for piece in answer.content.iter_any():
                        read += len(piece)
            await asyncio.sleep(0.01)

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, api.memory_info().rss)
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        others = [group.create_task(read_again_and_again()) for _ in range(READERS)] + [group.create_task(watch())]
        await asyncio.sleep(1)
        beside = await ask(neighbor, _REQUESTS)
        for task in others:
            task.cancel()
    return beside, (most - before) / 1e6, read / 1e6
