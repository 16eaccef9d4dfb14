"""No media, no charge: the time in which nobody is in the room costs nothing."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from livekit import api as livekit_api

from tests.support.rules.bill import assert_balances
from tests.support.rules.holes import holes
from tests.support.running.stack import Stack, eventually, recorders
from tests.support.talkers.beeps import BeepPlan, BeepTalker

SEEN_MS = 500  # from a participant's join or leave to the worker's hearing of it, there and back
TOLD_MS = 1500  # of an absence, that a killed worker may not have told yet


async def _bill(stack: Stack, session: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """What a session that is over costs, in ms, after every check of it; and its recording."""
    name = session["id"]
    _, recording = await stack.call("GET", f"/v1/sessions/{name}/recording")
    _, rows = await stack.call("GET", f"/v1/usage/events?session_id={name}&limit=100")
    _, receipt = await stack.call("GET", f"/v1/sessions/{name}/receipt")
    assert_balances(rows["data"], session, recording)
    assert receipt["balances"], receipt["imbalances"]
    assert sum(row["milliseconds"] for row in rows["data"]) == receipt["billed"]["milliseconds"]
    verified = await asyncio.to_thread(stack.run, "usage", "verify", "--session", name)
    assert verified.returncode == 0, verified.stdout
    return receipt["billed"]["milliseconds"], recording


async def test_only_the_time_in_which_somebody_is_there_is_paid(
    common_stack: Stack, room: str, talker: Callable[..., BeepTalker]
) -> None:
    """Nobody for 5 seconds, then one who joins and leaves, then nobody again."""
    session = await common_stack.create(room)
    started = await common_stack.reach(session["id"], "running")
    await asyncio.sleep(5)
    joining = datetime.now().timestamp()
    async with talker("ann", BeepPlan(500.0)):
        joined = datetime.now().timestamp()
        await asyncio.sleep(4)
        leaving = datetime.now().timestamp()
    left = datetime.now().timestamp()
    await asyncio.sleep(3)
    ended = await common_stack.end(session["id"])

    paid_ms, recording = await _bill(common_stack, ended)

    assert (leaving - joined) * 1000 - SEEN_MS <= paid_ms <= (left - joining) * 1000 + SEEN_MS
    first, second = recording["absences"]
    since_start = joining - datetime.fromisoformat(started["started_at"]).timestamp()
    assert first["start_ms"] == 0
    assert abs(first["end_ms"] - since_start * 1000) <= (joined - joining) * 1000 + SEEN_MS
    assert second["end_ms"] - second["start_ms"] >= 3000 - SEEN_MS
    assert second["end_ms"] in (recording["duration_ms"], recording["duration_ms"] + 1)
    assert (recording["state"], holes(recording["gaps"])) == ("available", [])


async def test_an_empty_room_costs_nothing_whatever_sounds_in_it(common_stack: Stack, room: str) -> None:
    """The synthetic input is no participant; the room's owner closes the room in the end."""
    session = await common_stack.create(room, transport={"synthetic_audio_if_no_input": True})
    await common_stack.reach(session["id"], "running")
    await asyncio.sleep(12)
    async with common_stack.server_api() as server:
        await server.room.delete_room(livekit_api.DeleteRoomRequest(room=room))
    ended = await common_stack.reach(session["id"], "ended")

    paid_ms, recording = await _bill(common_stack, ended)

    assert ended["usage"]["billable_ms"] > 11_000
    assert paid_ms == 0
    assert [track["side"] for track in recording["tracks"]] == ["worker"]
    assert recording["gaps"] == []


async def test_a_takeover_in_an_empty_room_is_free_too(stack: Stack, room: str) -> None:
    """A killed worker knew that nobody was there, and so does the next one."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="2")
    session = await stack.create(room)
    await stack.reach(session["id"], "running")
    await asyncio.sleep(4)
    for child in recorders(worker.popen.pid):
        child.kill()
        await asyncio.sleep(0.05)

    async def taken_over() -> bool:
        now = await stack.get(session["id"])
        return bool(now["epoch"] >= 2 and now["status"] == "running")

    await eventually(taken_over, what="it was taken over")
    await asyncio.sleep(4)
    ended = await stack.end(session["id"])

    paid_ms, recording = await _bill(stack, ended)

    assert ended["usage"]["billable_ms"] > 6000
    assert paid_ms <= TOLD_MS, json.dumps(recording)
