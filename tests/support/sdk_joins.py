"""Joins of LiveKit's SDK through a guard, in a process of its own: as a recorder makes them."""

import asyncio
import json
import os
import sys

_JOIN = """
import asyncio, json, sys
from livekit import rtc
from worker.guard.upstream import go_through
from tests.support.beeps import mint_token
go_through(int(sys.argv[1]), "owner")
async def join(url):
    try:
        await rtc.Room().connect(url, mint_token("key", "s" * 32, "room", "worker"), rtc.RoomOptions(connect_timeout=2))
    except rtc.ConnectError as error:
        return error.message
    return "joined"
async def main():
    print(json.dumps([await join(url) for url in sys.argv[2:]]))
asyncio.run(main())
"""


async def sdk_joins(port: int, *urls: str, seconds: float = 60) -> list[str]:
    """What the SDK says of a join of each URL, one after the other, through the guard on this port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _JOIN,
        str(port),
        *urls,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_PROXY": "*"},
    )
    async with asyncio.timeout(seconds):
        printed, _ = await process.communicate()
    said: list[str] = json.loads(printed.splitlines()[-1])
    return said
