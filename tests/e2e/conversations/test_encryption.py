"""Rooms whose participants encrypt end to end: with their key they are recorded, with another one they are named."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from livekit import rtc

from tests.support.rules.holes import holes, short_ms
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack, eventually, stand_still
from tests.support.talkers.slots import SlotTalker

KEY = "a passphrase that they share"
VOICE = 0.37  # of full scale: the loudest that one talker is; noise comes up to 1
DISTURBED_SECONDS = 0.15  # of placing, at the 95th percentile
OVERSHOOT = 0.2  # that codec and jitter buffer may add where a voice begins or is made up


def encryption(key: str) -> rtc.E2EEOptions:
    return rtc.E2EEOptions(key_provider_options=rtc.KeyProviderOptions(shared_key=key.encode()))


async def _recorded(
    stack: Stack, session_id: str, folder: Path, *, voices: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Holes and recording, whose audio holds no more than the voices that are heard."""
    _, recording = await stack.call("GET", f"/v1/sessions/{session_id}/recording")
    samples, _ = soundfile.read(await stack.download(session_id, folder / "noise.wav"))
    loud = np.flatnonzero(np.abs(samples) >= VOICE * voices + OVERSHOOT)
    assert loud.size == 0, f"{loud.size} samples from {loud[0]} to {loud[-1]}; {recording['tracks']}"
    return holes(recording["gaps"]), recording


async def test_an_encrypted_room_is_recorded_with_its_key(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """Every slot of eve, who encrypts, and of ann, who does not; the key is in no log and in no file."""
    async with speaker("ann", 0) as ann, speaker("eve", 1, encryption=encryption(KEY)) as eve:
        session = await common_stack.create(room, transport={"e2ee": {"shared_key": KEY}})
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(8)
        await common_stack.end(session["id"])

    truths = await assert_never_silently_wrong(common_stack, session["id"], [ann, eve], tmp_path, [KEY])
    gaps, recording = await _recorded(common_stack, session["id"], tmp_path, voices=2)
    assert "gap.encrypted" not in {gap["code"] for gap in gaps}
    assert recording["state"] == "available"
    assert session["transport"]["e2ee"] == {"shared_key": "[redacted]"}
    for truth in truths.values():
        assert truth.heard >= 30, "the others were torn by a busy machine"
        assert truth.lost <= 3, "a busy machine may lose some, which are named"


@pytest.mark.long
async def test_a_killed_recorders_successor_has_the_key_too(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """It claims the key with the session."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="2", PARLEY_SPEECH_ENGINE="none")
    async with speaker("eve", 1, encryption=encryption(KEY)) as eve:
        session = await stack.create(room, transport={"e2ee": {"shared_key": KEY}})
        await stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        for recorder in worker.living("recorder"):
            recorder.kill()

        async def taken_over() -> bool:
            now = await stack.get(session["id"])
            return bool(now["epoch"] > 1 and now["status"] == "running")

        await eventually(taken_over, seconds=30, what="it was taken over")
        await asyncio.sleep(6)
        await stack.end(session["id"])

    truths = await assert_never_silently_wrong(stack, session["id"], [eve], tmp_path, [KEY])
    gaps, _ = await _recorded(stack, session["id"], tmp_path, voices=1)
    assert "gap.encrypted" not in {gap["code"] for gap in gaps}
    assert truths["eve"].heard > 40


async def test_whoever_encrypts_with_another_key_is_left_out_and_named(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """Nobody else suffers; it is the customer's doing, so it is billed."""
    async with (
        speaker("ann", 0) as ann,
        speaker("eve", 1, encryption=encryption(KEY)) as eve,
        speaker("mal", 2, encryption=encryption("another passphrase")) as mal,
    ):
        session = await common_stack.create(room, transport={"e2ee": {"shared_key": KEY}})
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(6)
        ended = await common_stack.end(session["id"])

    truths = await assert_never_silently_wrong(common_stack, session["id"], [ann, eve, mal], tmp_path, [KEY])
    gaps, recording = await _recorded(common_stack, session["id"], tmp_path, voices=2)
    assert {(gap["code"], gap["identity"]) for gap in gaps} == {("gap.encrypted", "mal")}
    assert [truths[name].lost for name in ("ann", "eve")] == [0, 0]
    assert (truths["mal"].heard, truths["mal"].lost > 40) == (0, True)
    assert recording["state"] == "available"
    assert ended["usage"]["credited_ms"] <= short_ms(recording["gaps"])


@pytest.mark.long
async def test_whoever_goes_on_with_another_key_is_named_from_then_on(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """And is heard again with the first one, where it speaks; the network is not blamed."""
    async with speaker("eve", 1, encryption=encryption(KEY)) as eve:
        session = await common_stack.create(room, transport={"e2ee": {"shared_key": KEY}})
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        provider = eve.room.e2ee_manager.key_provider
        assert provider is not None
        for key in ("another passphrase", KEY):
            provider.set_shared_key(key.encode(), 0)
            await asyncio.sleep(5)
        await common_stack.end(session["id"])

    truths = await assert_never_silently_wrong(common_stack, session["id"], [eve], tmp_path, [KEY])
    gaps, recording = await _recorded(common_stack, session["id"], tmp_path, voices=1)
    assert {gap["code"] for gap in gaps} == {"gap.encrypted"}
    assert 4500 <= sum(gap["end_ms"] - gap["start_ms"] for gap in gaps) <= 5500
    assert recording["state"] == "available"
    assert truths["eve"].heard > 60
    assert truths["eve"].placing <= DISTURBED_SECONDS


@pytest.mark.long
async def test_what_came_all_at_once_is_not_taken_for_another_key(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """A standstill of the recorder for 1.5 s: as in a room in clear, little is lost then, and all lies in its place.

    What is still in the jitter buffer at the end is named, too.
    """
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="1", PARLEY_HEARTBEAT_SECONDS="2", PARLEY_STALLED_SECONDS="15")
    async with speaker("eve", 1, encryption=encryption(KEY)) as eve:
        session = await stack.create(room, transport={"e2ee": {"shared_key": KEY}})
        await stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        await stand_still(worker.popen.pid, 1.5)
        await asyncio.sleep(7)
        await stack.end(session["id"])

    truths = await assert_never_silently_wrong(stack, session["id"], [eve], tmp_path, [KEY])
    gaps, _ = await _recorded(stack, session["id"], tmp_path, voices=1)
    assert "gap.encrypted" not in {gap["code"] for gap in gaps}
    assert truths["eve"].placing <= DISTURBED_SECONDS
    seam = [gap for gap in gaps if gap["start_ms"] < 6500]
    assert sum(gap["end_ms"] - gap["start_ms"] for gap in seam) <= 500, gaps


@pytest.mark.long
async def test_a_microphone_that_is_muted_from_the_start_is_no_gap(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """It sends nothing that could be deciphered, and is heard once it is unmuted."""
    async with speaker("ann", 0) as ann, speaker("eve", 1, encryption=encryption(KEY)) as eve:
        [publication] = eve.room.local_participant.track_publications.values()
        track = publication.track
        assert isinstance(track, rtc.LocalAudioTrack)
        track.mute()
        session = await common_stack.create(room, transport={"e2ee": {"shared_key": KEY}})
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(6)
        track.unmute()
        await asyncio.sleep(4)
        await common_stack.end(session["id"])

    await assert_never_silently_wrong(common_stack, session["id"], [ann], tmp_path, [KEY])
    gaps, _ = await _recorded(common_stack, session["id"], tmp_path, voices=2)
    assert holes(gaps) == []
