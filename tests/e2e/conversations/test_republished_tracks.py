"""Who takes a track back and publishes another one loses nothing that has no name."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from livekit import rtc

from parley.servers.livekit_server import LiveKitServer
from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.republisher import Republisher
from tests.support.talkers.slots import SlotTalker, SlotVoice

MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE


def ann(server: LiveKitServer, room: str) -> Republisher:
    return Republisher(server.url, mint_token(server.api_key, server.api_secret, room, "ann"), SlotVoice(0))


@pytest.mark.long
async def test_who_publishes_anew_with_another_rate_and_codec_is_heard_on(
    common_stack: Stack, livekit: LiveKitServer, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """24 kHz without redundancy, stereo, 16 kHz with DTX; beside somebody who stays."""
    async with ann(livekit, room) as changing, speaker("bob", 1) as bob:
        session = await common_stack.create(room)
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        for rate, channels, options in (
            (24_000, 1, rtc.TrackPublishOptions(source=MICROPHONE, dtx=False, red=False)),
            (48_000, 2, rtc.TrackPublishOptions(source=MICROPHONE, dtx=False)),
            (16_000, 1, rtc.TrackPublishOptions(source=MICROPHONE, dtx=True)),
        ):
            await changing.republish(options, rate=rate, channels=channels)
            await asyncio.sleep(3)
        await common_stack.end(session["id"])
    changing.tear()
    truths = await assert_never_silently_wrong(common_stack, session["id"], [changing, bob], tmp_path)
    _, recording = await common_stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert holes(recording["gaps"]) == []
    assert truths["ann"].heard > 50


@pytest.mark.long
async def test_a_track_that_is_published_muted_is_no_gap_however_late_it_is_unmuted(
    common_stack: Stack, livekit: LiveKitServer, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """Nothing comes of it for nine seconds, which nobody refuses."""
    late = ann(livekit, room)
    late.stall(12)
    async with speaker("bob", 1) as bob, late:
        session = await common_stack.create(room)
        await common_stack.reach(session["id"], "running")
        track = await late.republish(rtc.TrackPublishOptions(source=MICROPHONE, dtx=False), muted=True)
        await asyncio.sleep(9)
        track.unmute()
        await asyncio.sleep(4)
        late.changed()
        await asyncio.sleep(3)
        await common_stack.end(session["id"])
    late.tear()
    truths = await assert_never_silently_wrong(common_stack, session["id"], [late, bob], tmp_path)
    _, recording = await common_stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert holes(recording["gaps"]) == []
    assert truths["ann"].heard > 10
