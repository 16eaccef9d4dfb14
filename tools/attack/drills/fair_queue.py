"""A tenant with hundreds of sessions towards a server that never answers: another tenant's begin as if alone."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import aiohttp

from tests.support.network.loopback import silent_server
from tests.support.running.stack import Stack
from tools.attack.api_scene import UNLIMITED, Client, attacked, new_key
from tools.attack.row import Effort, Row

HOSTILE = 500
_VICTIMS = 20
_BETWEEN_SECONDS = 0.5
_CREATORS = 8


async def attack(effort: Effort) -> list[Row]:
    """N is a number of hostile sessions, which no limit keeps from being made."""
    hostile = effort.n or HOSTILE
    waits, refused = [], 0
    async with AsyncExitStack() as stays:
        stack = await stays.enter_async_context(attacked(effort, api=UNLIMITED, rooms=True))
        port = await stays.enter_async_context(silent_server())
        http = await stays.enter_async_context(aiohttp.ClientSession())
        scopes = ("--agent", "hostile", "--scope", "sessions:write")
        attacker = Client(http, stack.bases[0], new_key(stack, "hostile", "--kind", "agent", *scopes))
        await stack.start_worker(PARLEY_SPEECH_ENGINE="none")
        await _flood(attacker, stack, port, hostile)
        for number in range(_VICTIMS):
            session = await stack.create(f"victim-{number}")
            ran = await stack.reach(session["id"], "running", "failed")
            refused += ran["status"] == "failed"
            waits.append(await _waited(stack, session["id"]))
            await stack.end(session["id"])
            await asyncio.sleep(_BETWEEN_SECONDS)
    n = f"{_VICTIMS} sessions beside {hostile}"
    return [
        Row("wait in the queue beside hostile sessions", 2, max(waits), "s", n),
        Row("sessions that failed beside them", 0, refused, "", n),
    ]


async def _flood(attacker: Client, stack: Stack, port: int, count: int) -> None:
    numbers = iter(range(count))

    async def create() -> None:
        for number in numbers:
            room = f"hostile-{number}"
            transport = {"type": "livekit", "url": f"ws://127.0.0.1:{port}", "room_name": room}
            body = {"agent_id": "hostile", "transport": {**transport, "worker_token": stack.token(room)}}
            status, text = await attacker.send("POST", "/v1/sessions", json=body)
            assert status == 201, text

    async with asyncio.TaskGroup() as group:
        for _ in range(_CREATORS):
            group.create_task(create())


async def _waited(stack: Stack, session_id: str) -> float:
    """Seconds from the queue to the process that took it, by the session's own events."""
    _, timeline = await stack.call("GET", f"/v1/sessions/{session_id}/timeline")
    moves: list[dict[str, Any]] = timeline["data"]
    at = {move["status_to"]: datetime.fromisoformat(move["occurred_at"]) for move in moves}
    return (at["starting"] - at["queued"]).total_seconds()
