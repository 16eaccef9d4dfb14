"""The LiveKit server is away for three minutes."""

import asyncio
from pathlib import Path

import pytest

from parley.servers.livekit_server import LiveKitServer
from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice

AWAY_SECONDS = 180


@pytest.mark.long
@pytest.mark.parametrize(("rejoin_seconds", "status"), [(300, "ended"), (120, "failed")])
async def test_an_outage_of_three_minutes_is_one_gap_or_the_end(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer, room: str, rejoin_seconds: int, status: str
) -> None:
    """A worker that may try so long joins again; one that may not gives up, and keeps what there was."""

    def speaker() -> SlotTalker:
        token = mint_token(own_livekit.api_key, own_livekit.api_secret, room, "ann")
        return SlotTalker(own_livekit.url, token, SlotVoice(0))

    async with Stack(tmp_path, database_url, own_livekit) as stack:
        await stack.start_api()
        await stack.start_worker(PARLEY_SPEECH_ENGINE="none", PARLEY_REJOIN_SECONDS=str(rejoin_seconds))
        async with speaker() as before:
            session = await stack.create(room, idle_timeout_seconds=600)
            await stack.reach(session["id"], "running")
            await asyncio.sleep(5)
            await asyncio.to_thread(own_livekit.kill)
            await asyncio.sleep(AWAY_SECONDS)
        await asyncio.to_thread(own_livekit.start)
        async with speaker() as after:
            if status == "ended":
                await asyncio.sleep(25)
                await stack.end(session["id"])
            ended = await stack.reach(session["id"], "ended", "failed")
        talkers = [before, after] if status == "ended" else [before]
        await assert_never_silently_wrong(stack, session["id"], talkers, tmp_path)
        _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")

    assert (ended["status"], ended["epoch"]) == (status, 1)
    [hole] = holes(recording["gaps"])
    assert hole["code"] == "gap.rejoin"
    gap_seconds = (hole["end_ms"] - hole["start_ms"]) / 1000
    assert gap_seconds >= min(AWAY_SECONDS, rejoin_seconds) - 1
    assert (ended["error"] or {}).get("code") == (None if status == "ended" else "room.unreachable")
