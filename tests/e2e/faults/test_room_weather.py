"""What the room does to a session: it is closed, the worker is kicked, the server restarts, nobody comes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile
from livekit import api as livekit_api

from parley.servers.livekit_server import LiveKitServer
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack
from tests.support.talkers.beeps import BeepPlan, mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice

PLAN = BeepPlan(pitch_hz=900)


async def _running(stack: Stack, room: str, **fields: Any) -> dict[str, Any]:
    session = await stack.create(room, **fields)
    return await stack.reach(session["id"], "running")


async def test_a_removed_worker_ends_the_session(common_stack: Stack, room: str, talker: Callable[..., Any]) -> None:
    """Kicked by the room's owner: ended, end.removed, never a rejoin."""
    async with talker("ann", PLAN):
        session = await _running(common_stack, room)
        await asyncio.sleep(2)
        async with common_stack.server_api() as owner:
            await owner.room.remove_participant(
                livekit_api.RoomParticipantIdentity(room=room, identity="parley-recorder")
            )
        ended = await common_stack.reach(session["id"], "ended")

    assert (ended["end_reason"], ended["epoch"]) == ("end.removed", 1)


async def test_a_deleted_room_ends_the_session(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """The room is deleted: ended, end.room_closed, and what was recorded is there."""
    async with speaker("ann", 0) as ann:
        session = await _running(common_stack, room)
        await asyncio.sleep(4)
        async with common_stack.server_api() as owner:
            await owner.room.delete_room(livekit_api.DeleteRoomRequest(room=room))
        ended = await common_stack.reach(session["id"], "ended")

    assert ended["end_reason"] == "end.room_closed"
    truths = await assert_never_silently_wrong(common_stack, session["id"], [ann], tmp_path)
    assert truths["ann"].heard >= 25


async def test_a_room_in_which_nobody_speaks_is_left(common_stack: Stack, room: str) -> None:
    """Nobody publishes audio for idle_timeout_seconds: ended, end.idle_timeout."""
    session = await _running(common_stack, room, idle_timeout_seconds=3)
    ended = await common_stack.reach(session["id"], "ended")

    assert ended["end_reason"] == "end.idle_timeout"
    assert 2500 <= ended["usage"]["billable_ms"] <= 6000


async def test_max_duration_ends_the_session_on_the_dot(
    common_stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """The file and the bill end max_duration_seconds after started_at, however late anybody looks."""
    async with talker("ann", PLAN):
        session = await _running(common_stack, room, max_duration_seconds=5)
        ended = await common_stack.reach(session["id"], "ended")

    assert ended["end_reason"] == "end.max_duration"
    samples, rate = soundfile.read(await common_stack.download(session["id"], tmp_path / "a.wav"), dtype="int16")
    assert len(samples) == 5 * rate
    assert ended["usage"]["billable_ms"] == 5000


async def test_somebody_else_with_the_workers_identity_is_not_fought(
    common_stack: Stack, room: str, talker: Callable[..., Any]
) -> None:
    """Evicted by a second join with its identity: failed, room.duplicate_identity; what was recorded is kept."""
    async with talker("ann", PLAN):
        session = await _running(common_stack, room)
        await asyncio.sleep(3)
        async with talker("parley-recorder", BeepPlan(pitch_hz=300)):
            failed = await common_stack.reach(session["id"], "failed")

    assert failed["error"]["code"] == "room.duplicate_identity"
    status, _ = await common_stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert status == 200


async def test_a_restarted_server_is_rejoined(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer, room: str
) -> None:
    """kill -9 of the LiveKit server and back after 3 s: the session stays running, rejoins, and names the gap."""

    def speaker() -> SlotTalker:
        token = mint_token(own_livekit.api_key, own_livekit.api_secret, room, "ann")
        return SlotTalker(own_livekit.url, token, SlotVoice(0))

    async with Stack(tmp_path, database_url, own_livekit) as stack:
        session: dict[str, Any]
        await stack.start_api()
        await stack.start_worker()
        async with speaker() as before:
            session = await _running(stack, room, idle_timeout_seconds=60)
            await asyncio.sleep(4)
            await asyncio.to_thread(own_livekit.kill)
            await asyncio.sleep(3)
            await asyncio.to_thread(own_livekit.start)
            await asyncio.sleep(8)
        async with speaker() as after:
            await asyncio.sleep(6)
            assert (await stack.get(session["id"]))["status"] == "running"
            ended = await stack.end(session["id"])
        for talker in (before, after):
            [truth] = (await assert_never_silently_wrong(stack, session["id"], [talker], tmp_path)).values()
            assert truth.heard >= 25, truth
        _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")

    assert (ended["status"], ended["end_reason"], ended["epoch"]) == ("ended", "end.requested", 1)
    assert any(gap["code"] in ("gap.rejoin", "gap.concealed") for gap in recording["gaps"]), recording
