"""Joins of LiveKit's SDK through a guard, in a process of its own: as a recorder makes them."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence

_JOIN = """
import asyncio, json, sys
from livekit import rtc
from worker.guard.upstream import go_through
from tests.support.talkers.beeps import mint_token
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


_ABANDON = """
import asyncio, contextlib, sys, time
from pydantic import SecretStr
from worker.guard.guard_line import GuardLine
from worker.guard.upstream import go_through
go_through(int(sys.argv[1]), "owner")
from tests.support.talkers.beeps import mint_token
from worker.joining.joins import Joins
from worker.room.join_answer import JoinError
from worker.room.subscription import Subscription
async def main():
    async with asyncio.TaskGroup() as group:
        joins = Joins(group, guard=GuardLine(int(sys.argv[1]), "owner"))
        token = SecretStr(mint_token("key", "s" * 32, "room", "worker"))
        with contextlib.suppress(JoinError):
            await joins.join(sys.argv[2], token, subscription=Subscription(), timeout_seconds=0.5)
        assert joins.abandoned == 1
        abandoned = time.monotonic()
    print(time.monotonic() - abandoned)
asyncio.run(main())
"""


async def seconds_of_an_abandoned_join(port: int, url: str) -> float:
    """How long a recorder's join goes on after it was abandoned, through the guard on this port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ABANDON, str(port), url, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    return float(printed.splitlines()[-1])


_BESIDE = """
import asyncio, contextlib, sys, time
from pydantic import SecretStr
from worker.guard.guard_line import GuardLine
from worker.guard.upstream import go_through
go_through(int(sys.argv[1]), "owner")
from worker.joining.joins import Joins
from worker.room.join_answer import JoinError
from worker.room.subscription import Subscription
async def main():
    async with asyncio.TaskGroup() as group:
        joins = Joins(group, guard=GuardLine(int(sys.argv[1]), "owner"))
        url, before, given_up, later = sys.argv[2:]
        def join(token, seconds):
            return joins.join(url, SecretStr(token), subscription=Subscription(), timeout_seconds=seconds)
        room = await join(before, 10)
        with contextlib.suppress(JoinError):
            await join(given_up, 0.3)
        abandoned = time.monotonic()
        other = await join(later, 10)
        while joins.abandoned:
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - abandoned
        await asyncio.sleep(1)
        undisturbed = [one.connected and not one.reconnects for one in (room, other)]
        await room.leave()
        await other.leave()
    print(seconds, all(undisturbed))
asyncio.run(main())
"""


async def seconds_of_an_abandoned_join_beside_rooms(port: int, url: str, tokens: Sequence[str]) -> tuple[float, bool]:
    """How long the join with the second token goes on after it was abandoned, while the same process is in the first
    one's room already, and joins the third one's meanwhile; and whether both of them were left in peace."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _BESIDE, str(port), url, *tokens), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    seconds, undisturbed = printed.splitlines()[-1].split()
    return float(seconds), undisturbed == b"True"
