"""Readers of a transcript of 120 MB, again and again: the API stays small, and others get their answers."""

import asyncio
import math
from collections import Counter
from contextlib import suppress

import aiohttp
import psutil
import psycopg

from sessions.ids import parse_id
from tests.support.running.stack import MASTER_KEY, Stack
from tools.attack.api_scene import UNLIMITED, Client, attacked, new_key
from tools.attack.neighbor import Waited, ask
from tools.attack.row import Effort, Row

READERS = 4
_MESSAGES, _BYTES = 2000, 60_000
_REQUESTS = 200
_MOST_GROWN_MB = 8 * READERS
_WORD_BYTES = 32
_WRITE = """
    INSERT INTO log_entries (session_id, seq, id, kind, role, text, speaker, source, created_at)
    SELECT %(id)s, number, gen_random_uuid(), 'message', 'user', words.text, 'user', 'api', now()
    FROM generate_series(1, %(messages)s) AS number
    CROSS JOIN LATERAL (
        SELECT string_agg(md5(number::text || word), '') AS text FROM generate_series(1, %(words)s) AS word
    ) AS words
"""


async def attack(effort: Effort) -> list[Row]:
    """N is a number of messages of 60 KB."""
    messages = effort.n or _MESSAGES
    async with attacked(effort, api=UNLIMITED) as stack, aiohttp.ClientSession() as http:
        customer = Client(http, stack.bases[0], MASTER_KEY)
        neighbor = Client(http, stack.bases[0], new_key(stack, "neighbor"))
        status, made = await stack.call("POST", "/api/sessions", {"agent_id": "agent"})
        assert status == 201, made
        await asyncio.to_thread(_write, stack, made["id"], messages)
        api = psutil.Process(stack.processes[0].popen.pid)
        await ask(neighbor, 50)
        alone = await ask(neighbor, _REQUESTS)
        beside, grown, read_mb = await _beside_readers(http, customer, neighbor, made["id"], api)
    print(
        f"alone: {alone}\nbeside {READERS} readers, who read {read_mb:.0f} MB: {beside}; the API grew by {grown:.0f} MB"
    )
    n = f"{_REQUESTS} requests, {messages * _BYTES / 1e6:.0f} MB"
    ratio = beside.p99 / alone.p99 if read_mb else math.nan  # of readers who are told nothing it would say nothing
    return [
        Row("p99 beside four readers of a long transcript", 2, ratio, "× alone", n),
        Row("requests refused beside them", 0, beside.refused, "", n),
        Row(
            "growth of the API with four readers",
            _MOST_GROWN_MB,
            grown if read_mb else math.nan,
            "MB",
            f"{read_mb:.0f} MB read",
        ),
    ]


def _write(stack: Stack, session_id: str, messages: int) -> None:
    """So many messages, straight into the database."""
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        conn.execute(_WRITE, {"id": parse_id("sess", session_id), "messages": messages, "words": _BYTES // _WORD_BYTES})


async def _beside_readers(
    http: aiohttp.ClientSession, customer: Client, neighbor: Client, session_id: str, api: psutil.Process
) -> tuple[Waited, float, float]:
    """What the neighbor waited, how much the API grew, and how much was read; both in MB."""
    before = most = api.memory_info().rss
    read = 0
    statuses: Counter[int] = Counter()

    async def read_again_and_again() -> None:
        nonlocal read
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                url = f"{customer.base}/v1/sessions/{session_id}/transcript"
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
