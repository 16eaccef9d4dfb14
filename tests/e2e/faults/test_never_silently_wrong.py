"""Faults, and the rule that holds whatever happens: what is not in the file is named, and nobody pays for it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from sessions.billing.crediting import covered_ms
from sessions.settings import Settings
from tests.support.rules.holes import holes, short_ms
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack, eventually, recorders, stand_still
from tests.support.talkers.slots import SlotTalker

_LOST_TAIL_MS = 8000


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


@pytest.mark.long
async def test_a_recorder_that_is_killed_while_nobody_may_be_heard_loses_only_what_is_named(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """Three times, each at another instant of the second in which an open gap is written down; whoever joins may."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="2", PARLEY_SPEECH_ENGINE="none")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        for epoch, seconds in ((2, 2.3), (3, 2.6), (4, 2.9)):
            await asyncio.sleep(4)
            await stack.permit_listening(room, False)
            await asyncio.sleep(seconds)
            for child in recorders(worker.popen.pid):
                child.kill()
            await eventually(partial(_joined, stack, session["id"], epoch), seconds=30, what="it was taken over")
        await asyncio.sleep(4)
        await stack.end(session["id"])

    truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)

    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    codes = {gap["code"] for gap in holes(recording["gaps"])}
    assert codes == {"gap.permission", "gap.worker_lost"}
    assert truths["ann"].lost > 60
    assert truths["ann"].heard > 60


@pytest.mark.long
async def test_a_hand_over_loses_little_and_bills_what_was_heard(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """SIGTERM with a successor: what two workers recorded of one session is billed to the millisecond."""
    await stack.start_api()
    first = await stack.start_worker("first", PARLEY_SPEECH_ENGINE="none")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await stack.start_worker("second", PARLEY_SPEECH_ENGINE="none")
        await asyncio.sleep(4)
        first.popen.terminate()
        await eventually(partial(_joined, stack, session["id"], 2), seconds=20, what="it was handed over")
        await asyncio.sleep(5)
        ended = await stack.end(session["id"])

    await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)
    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    seams = [gap for gap in recording["gaps"] if gap["code"] == "gap.rejoin"]
    assert {gap.get("identity") for gap in seams} in ({None}, {None, "ann"}), "everybody's, and of who is heard later"
    assert all(0 < gap["end_ms"] - gap["start_ms"] < 1000 for gap in seams)
    assert ended["usage"]["billable_ms"] == recording["duration_ms"], "nothing that was heard is free"
    missing_ms = covered_ms((gap["start_ms"], gap["end_ms"]) for gap in recording["gaps"])
    rounded_ms = 2 * len(recording["gaps"])
    assert abs(ended["usage"]["credited_ms"] - missing_ms) <= rounded_ms, "and nothing is charged that was not"


@pytest.mark.long
async def test_a_killed_host_and_its_lost_spool_cost_seconds_and_no_money(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """With beats as in production: at most 8 s were not stored yet, and what was billed of them is given back."""
    defaults = Settings()
    production: dict[str, Any] = {
        "PARLEY_HEARTBEAT_SECONDS": str(defaults.heartbeat_seconds),
        "PARLEY_STALLED_SECONDS": str(defaults.stalled_seconds),
        "PARLEY_SEGMENT_SECONDS": str(defaults.segment_seconds),
    }
    await stack.start_api()
    first = await stack.start_worker("first", PARLEY_SPEECH_ENGINE="none", **production)
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        started_at = datetime.fromisoformat((await stack.reach(session["id"], "running"))["started_at"])
        await stack.start_worker("second", PARLEY_SPEECH_ENGINE="none", **production)
        await asyncio.sleep(14)
        killed_ms = (datetime.now(UTC) - started_at) / timedelta(milliseconds=1)
        first.kill_with_children()
        await eventually(partial(_joined, stack, session["id"], 2), seconds=40, what="it was taken over")
        await asyncio.sleep(4)
        ended = await stack.end(session["id"])

    truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)
    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    [lost] = [gap for gap in recording["gaps"] if gap["code"] == "gap.worker_lost"]
    assert truths["ann"].lost > 20
    assert killed_ms - _LOST_TAIL_MS <= lost["start_ms"] <= killed_ms
    lacking_ms = covered_ms((gap["start_ms"], gap["end_ms"]) for gap in recording["gaps"])
    in_the_file_ms = recording["duration_ms"] - lacking_ms
    assert ended["usage"]["billable_ms"] > in_the_file_ms + 1, "beats had proven some of what was lost"
    assert abs(ended["usage"]["billable_ms"] - ended["usage"]["credited_ms"] - in_the_file_ms) <= 1


async def _joined(stack: Stack, session_id: str, epoch: int) -> bool:
    session: dict[str, Any] = await stack.get(session_id)
    return bool(session["epoch"] >= epoch and session["status"] == "running")


@pytest.mark.long
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
    assert {gap["code"] for gap in holes(recording["gaps"])} == {"gap.encrypted"}
    assert 3000 < sum(gap["end_ms"] - gap["start_ms"] for gap in recording["gaps"]) < 6000
    assert recording["state"] == "available"
    assert ended["usage"]["credited_ms"] <= short_ms(recording["gaps"]), "it is the customer's"
