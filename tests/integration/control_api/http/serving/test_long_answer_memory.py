"""What a reader of a long transcript costs the API process, and everybody else who asks it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import psycopg
import pytest

from sessions.ids import parse_id
from tests.support.running.api_server import create_body
from tests.support.running.stack import MASTER_KEY, Stack

MESSAGES = 2000
CHARACTERS = 60_000  # of each: 120 MB
READERS = 4
FORMS = {"application/json": READERS, "text/vtt": 1, "application/x-subrip": 1, "text/plain": 1}
MOST_BYTES = 8 << 20  # of each reader

_FILL = """
INSERT INTO log_entries (session_id, seq, id, kind, role, text, source, created_at)
SELECT %s, i, gen_random_uuid(), 'message', 'user', repeat(md5(i::text), %s / 32), 'api', now()
FROM generate_series(1, %s) i
"""
_READ_FOR_EVER = """
import sys, urllib.request
url, key = sys.argv[1:]
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + key})
while True:
    with urllib.request.urlopen(request) as answer:
        while answer.read(1 << 20):
            pass
"""


@pytest.fixture
async def filled(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Stack, str]]:
    """An API process, and the URL of a session with 120 MB of messages."""
    async with Stack(folder=tmp_path, database_url=database_url, livekit=cast(Any, None)) as stack:
        await stack.start_api()
        status, session = await stack.call("POST", "/v1/sessions", create_body("room"))
        assert status == 201
        session_id = parse_id("sess", session["id"])
        async with await psycopg.AsyncConnection.connect(database_url) as conn:
            await conn.execute(_FILL, [session_id, CHARACTERS, MESSAGES])
        yield stack, f"{stack.bases[0]}/v1/sessions/{session['id']}"


@pytest.mark.long
async def test_readers_of_a_long_transcript_cost_little_memory(filled: tuple[Stack, str]) -> None:
    """Four at a time, a slow one among them, and one of each other form: 8 MiB each at most, and all of it arrives."""
    stack, url = filled
    pid = stack.processes[0].popen.pid
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {MASTER_KEY}"}) as http:
        await _read(http, url + "/messages?limit=1", "application/json")
        for media_type, readers in FORMS.items():
            before = _reset_peak(pid)
            reads = [_read(http, url + "/transcript", media_type, slowly=number == 1) for number in range(readers)]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one) for one in reads]
            assert all(task.result() >= MESSAGES * CHARACTERS for task in tasks)
            grown = _status(pid, "VmHWM") - before
            print(f"{media_type}: {grown / 2**20:.1f} MiB for {readers} readers")  # noqa: T201 the figure
            assert grown <= readers * MOST_BYTES


async def _read(http: aiohttp.ClientSession, url: str, media_type: str, *, slowly: bool = False) -> int:
    """Read all of it; how many bytes it was."""
    size = 0
    async with http.get(url, headers={"Accept": media_type}) as answer:
        assert answer.status == 200
        async for chunk in answer.content.iter_chunked(1 << 20):
            size += len(chunk)
            if slowly and size < 20 << 20:
                await asyncio.sleep(0.1)
    return size


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) << 10
    raise LookupError(name)


def _reset_peak(pid: int) -> int:
    """Let the process's peak begin anew; what it has now, in bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _status(pid, "VmRSS")


async def _measure(http: aiohttp.ClientSession, url: str, seconds: float) -> list[float]:
    """How long a neighbor's requests take, seconds, shortest first."""
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        async with http.get(url) as answer:
            await answer.read()
        taken.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    return sorted(taken)


@pytest.mark.long
async def test_neighbors_wait_twice_as_long_at_most(filled: tuple[Stack, str]) -> None:
    """The p99 of a small read beside four readers who take all that they get."""
    _, url = filled
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {MASTER_KEY}"}) as http:
        await _measure(http, url, 1)
        alone = await _measure(http, url, 5)
        readers = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", _READ_FOR_EVER, url + "/transcript", MASTER_KEY)
            for _ in range(READERS)
        ]
        try:
            await asyncio.sleep(1)
            beside = await _measure(http, url, 5)
        finally:
            for reader in readers:
                reader.kill()
                await reader.wait()
    p99, p99_beside = (taken[int(len(taken) * 0.99)] for taken in (alone, beside))
    print(f"p99 {p99 * 1000:.1f} ms alone, {p99_beside * 1000:.1f} ms beside {READERS} readers")  # noqa: T201 the figure
    print(f"p50 {alone[len(alone) // 2] * 1000:.1f} ms, {beside[len(beside) // 2] * 1000:.1f} ms")  # noqa: T201
    assert p99_beside <= 2 * p99
