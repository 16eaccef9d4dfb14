"""A recorder process that stood still while another took its session, and then goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import soundfile

from sessions.ids import parse_id
from tests.support.beeps import BeepPlan, check_beeps
from tests.support.bill import assert_balances
from tests.support.stack import Stack, eventually

PLAN = BeepPlan(pitch_hz=850)


async def _rows(stack: Stack, query: str, *values: Any) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(stack.database_url) as conn:
        return await (await conn.execute(query, values)).fetchall()


async def test_a_stopped_recorder_that_goes_on_hurts_nobody(
    stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """SIGSTOP for longer than stalled_seconds, a takeover, SIGCONT: its successor keeps the room, nothing that it says
    counts any more, and what it had recorded is in the file."""
    await stack.start_api()
    first = await stack.start_worker("first")
    async with talker("ann", PLAN):
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        second = await stack.start_worker("second")
        key = parse_id("sess", session["id"])
        await asyncio.sleep(5)
        [(owner,)] = await _rows(stack, "SELECT owner FROM runs WHERE session_id = %s", key)
        zombie = first.child(str(owner))
        zombie.suspend()

        async def taken() -> bool:
            rows = await _rows(
                stack, "SELECT 1 FROM runs WHERE session_id = %s AND epoch = 2 AND joined_at < now()", key
            )
            return bool(rows)

        await eventually(taken, seconds=20, what="the second worker has the session")
        await asyncio.sleep(2)
        proven = "SELECT billable_ms, frames, beat_at FROM runs WHERE session_id = %s AND epoch = 1"
        before = await _rows(stack, proven, key)
        events = "SELECT type, epoch FROM session_events WHERE session_id = %s ORDER BY seq"
        told = await _rows(stack, events, key)
        zombie.resume()

        async def sealed() -> bool:
            return bool(
                await _rows(
                    stack, "SELECT 1 FROM runs WHERE session_id = %s AND epoch = 1 AND sealed_at IS NOT NULL", key
                )
            )

        await eventually(sealed, seconds=20, what="the zombie has sealed what it had")
        own_segments = list((tmp_path / "objects" / "spool" / session["id"]).glob(f"000001-{owner}*/*"))
        await asyncio.sleep(6)
        assert (await stack.get(session["id"]))["status"] == "running"
        assert zombie.is_running(), "the process goes on with other sessions"
        assert before == await _rows(stack, proven, key)
        assert told == await _rows(stack, events, key)
        ended = await stack.end(session["id"])

    assert (ended["status"], ended["epoch"]) == ("ended", 2)
    assert own_segments, "it uploaded its own segments"
    assert "room.lost" not in second.log(), "its successor was not evicted"
    samples, rate = soundfile.read(await stack.download(session["id"], tmp_path / "a.wav"), dtype="int16")
    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    seconds = len(samples) / rate
    [lost] = [gap for gap in recording["gaps"] if gap["code"] == "gap.worker_lost"]
    assert recording["state"] == "incomplete"
    assert check_beeps(samples, PLAN, 1.5, lost["start_ms"] / 1000).presence >= 0.8
    assert check_beeps(samples, PLAN, lost["end_ms"] / 1000 + 1, seconds - 0.5).presence >= 0.99
    _, page = await stack.call("GET", f"/v1/usage/events?session_id={session['id']}&limit=100")
    assert_balances(page["data"], ended, recording)
    assert ended["usage"]["billable_ms"] <= seconds * 1000 - (lost["end_ms"] - lost["start_ms"]) + 500
