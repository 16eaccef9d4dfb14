"""Readers of a long answer, again and again, and an honest client of the same API beside them."""

import asyncio
import math
from collections import Counter
from contextlib import suppress

import aiohttp
import psutil

from tests.support.running.stack import MASTER_KEY, Stack
from tools.attack.api_scene import Client, new_key
from tools.attack.neighbor import Waited, ask
from tools.attack.row import Row

READERS = 4
_REQUESTS = 200
_MOST_GROWN_MB = 8 * READERS


async def rows_beside_readers(stack: Stack, http: aiohttp.ClientSession, path: str, what: str, n: str) -> list[Row]:
    """What four readers of the path cost a neighbor and the API.

    Args:
        what: is read, with its article.
        n: how much of it there is.
    """
    neighbor = Client(http, stack.bases[0], new_key(stack, "neighbor"))
    api = psutil.Process(stack.processes[0].popen.pid)
    await ask(neighbor, 50)
    alone = await ask(neighbor, _REQUESTS)
    beside, grown, read_mb = await _beside_readers(http, stack.bases[0] + path, neighbor, api)
    print(
        f"alone: {alone}\nbeside {READERS} readers, who read {read_mb:.0f} MB: {beside}; the API grew by {grown:.0f} MB"
    )
    ratio = beside.p99 / alone.p99 if read_mb else math.nan  # of readers who are told nothing it would say nothing
    return [
        Row(f"p99 beside four readers of {what}", 2, ratio, "× alone", f"{_REQUESTS} requests, {n}"),
        Row("requests refused beside them", 0, beside.refused, "", f"{_REQUESTS} requests, {n}"),
        Row(
            "growth of the API with four readers",
            _MOST_GROWN_MB,
            grown if read_mb else math.nan,
            "MB",
            f"{read_mb:.0f} MB read",
        ),
    ]


async def _beside_readers(
    http: aiohttp.ClientSession, url: str, neighbor: Client, api: psutil.Process
) -> tuple[Waited, float, float]:
    """What the neighbor waited, how much the API grew, and how much was read; both in MB."""
    before = most = api.memory_info().rss
    read = 0
    statuses: Counter[int] = Counter()

    async def read_again_and_again() -> None:
        nonlocal read
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(url, headers={"Authorization": f"Bearer {MASTER_KEY}"}) as answer:
                    statuses[answer.status] += 1
                    async for piece in answer.content.iter_any():
                        read += len(piece) if answer.status == 200 else 0
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
    print("readers were answered", dict(statuses))
    return beside, (most - before) / 1e6, read / 1e6
