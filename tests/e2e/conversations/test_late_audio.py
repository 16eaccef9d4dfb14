"""Audio that comes late lies where it was spoken: whatever held it up, and while the jitter buffer gets over it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from parley.servers.livekit_server import LiveKitServer
from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong, since_start
from tests.support.running.stack import Stack, stand_still
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice

pytestmark = pytest.mark.long  # bounds in seconds hold on a machine that does nothing else

_DISTURBED_SECONDS = 0.15  # of placing, at the 95th percentile (0.05 to 0.11 measured on a quiet machine)


async def test_a_voice_whose_capture_stalled_is_not_late_afterwards(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """A source without a queue: the jitter buffer takes the pause for jitter, and builds up to 1.2 s."""
    async with speaker("ann", 0, queue_ms=0) as ann:
        session = await common_stack.create(room)
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        ann.stall(1.2)
        await asyncio.sleep(16)
        await common_stack.end(session["id"])

    truths = await assert_never_silently_wrong(common_stack, session["id"], [ann], tmp_path)

    assert truths["ann"].placing <= _DISTURBED_SECONDS
    assert truths["ann"].heard > 100


@pytest.mark.parametrize("seconds", [1.5, 2.5])
async def test_a_short_standstill_of_the_recorder_costs_next_to_nothing(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path, seconds: float
) -> None:
    """What was sent meanwhile waited in the socket; it lies where it was spoken.

    The seam is named, and so is what is still in the jitter buffer at the end.
    """
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="1", PARLEY_HEARTBEAT_SECONDS="2", PARLEY_STALLED_SECONDS="15")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        await stand_still(worker.popen.pid, seconds)
        await asyncio.sleep(7)
        await stack.end(session["id"])

    truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)

    assert truths["ann"].placing <= _DISTURBED_SECONDS
    session = await stack.get(session["id"])
    seconds_later = 5 + seconds  # what lies in the jitter buffer at the end is lost, too: more on a busy machine
    early = {slot.number for slot in since_start(ann.sent, session) if slot.at < seconds_later}
    assert len(early.intersection(truths["ann"].missing)) <= 3, truths["ann"]
    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    seam = [gap for gap in recording["gaps"] if gap["start_ms"] < seconds_later * 1000]
    assert {gap["code"] for gap in holes(seam)} == {"gap.worker_stalled"}
    assert sum(gap["end_ms"] - gap["start_ms"] for gap in seam) <= 500, recording["gaps"]


async def test_a_server_that_stood_still_delivers_late_what_lies_where_it_was_spoken(
    tmp_path: Path, database_url: str, own_livekit: LiveKitServer
) -> None:
    """1.5 s of packets come all at once."""
    async with Stack(tmp_path, database_url, own_livekit) as stack:
        await stack.start_api()
        await stack.start_worker(PARLEY_PROCESSES="1")
        token = mint_token(own_livekit.api_key, own_livekit.api_secret, "room-late", "ann")
        async with SlotTalker(own_livekit.url, token, SlotVoice(0)) as ann:
            session = await stack.create("room-late")
            await stack.reach(session["id"], "running")
            await asyncio.sleep(3)
            psutil.Process(own_livekit.pid).suspend()
            await asyncio.sleep(1.5)
            psutil.Process(own_livekit.pid).resume()
            await asyncio.sleep(7)
            await stack.end(session["id"])

        truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)

    assert truths["ann"].placing <= _DISTURBED_SECONDS
    assert truths["ann"].lost <= 4
