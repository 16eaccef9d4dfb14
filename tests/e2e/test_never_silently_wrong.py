"""Faults, and the rule that holds whatever happens: what is not in the file is named, and nobody pays for it."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from livekit import rtc

from tests.support.never_silently_wrong import assert_never_silently_wrong
from tests.support.slots import SlotTalker
from tests.support.stack import Stack, eventually, recorders, stand_still


async def test_undisturbed_every_slot_is_in_the_file(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """Of two who speak at the same time; nothing is declared, and all of it is billed."""
    token = common_stack.token(room)
    async with speaker("ann", 0) as ann, speaker("bob", 1) as bob:
        session = await common_stack.create(room, token=token)
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(8)
        await common_stack.end(session["id"])

    secrets = [token, token.rpartition(".")[2]]
    truths = await assert_never_silently_wrong(common_stack, session["id"], [ann, bob], tmp_path, secrets)

    for truth in truths.values():
        assert truth.heard >= 30, "the others were torn by a busy machine"
        assert truth.lost == 0


async def test_a_killed_recorder_loses_only_what_is_named(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """kill -9 of the process that records, twice."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="2")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        for epoch in (2, 3):
            await asyncio.sleep(4)
            for child in recorders(worker.popen.pid):
                child.kill()
                await asyncio.sleep(0.05)
            await eventually(partial(_joined, stack, session["id"], epoch), seconds=30, what="it was taken over")
        await asyncio.sleep(4)
        await stack.end(session["id"])

    truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)

    assert truths["ann"].lost > 0
    assert truths["ann"].heard > 60


async def _joined(stack: Stack, session_id: str, epoch: int) -> bool:
    session: dict[str, Any] = await stack.get(session_id)
    return bool(session["epoch"] >= epoch and session["status"] == "running")


async def test_a_recorder_that_stood_still_says_what_it_missed(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """SIGSTOP for eight seconds, too short for a takeover: ours, incomplete, given back."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="1", PARLEY_HEARTBEAT_SECONDS="2", PARLEY_STALLED_SECONDS="15")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        await stand_still(worker.popen.pid, 8)
        await asyncio.sleep(6)
        ended = await stack.end(session["id"])

    assert ended["epoch"] == 1
    truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)
    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert recording["state"] == "incomplete"
    assert "gap.worker_stalled" in {gap["code"] for gap in recording["gaps"]}
    assert ended["usage"]["credited_ms"] > 3000
    assert truths["ann"].lost > 20


async def test_encrypted_audio_is_left_out_and_named(
    common_stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """Who publishes in clear is recorded undisturbed; what could not be read is billed."""
    eve = speaker("eve", 1)
    eve.encryption = rtc.E2EEOptions(key_provider_options=rtc.KeyProviderOptions(shared_key=b"known to eve alone"))
    async with speaker("ann", 0) as ann:
        session = await common_stack.create(room)
        await common_stack.reach(session["id"], "running")
        await asyncio.sleep(2)
        async with eve:
            await asyncio.sleep(4)
        await asyncio.sleep(2)
        ended = await common_stack.end(session["id"])

    truths = await assert_never_silently_wrong(common_stack, session["id"], [ann], tmp_path)
    _, recording = await common_stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert truths["ann"].lost == 0
    assert {gap["code"] for gap in recording["gaps"]} == {"gap.encrypted"}
    assert 3000 < sum(gap["end_ms"] - gap["start_ms"] for gap in recording["gaps"]) < 6000
    assert (recording["state"], ended["usage"]["credited_ms"]) == ("available", 0)
