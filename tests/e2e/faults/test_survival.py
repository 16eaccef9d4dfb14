"""Sessions outlive the processes that record them."""

import asyncio
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.recording_process import recorder_of
from tests.support.running.stack import Stack, eventually
from tests.support.talkers.slots import SLOT_SECONDS, SlotTalker, Truth


async def _epoch_is(stack: Stack, session_id: str, epoch: int) -> bool:
    return bool((await stack.get(session_id))["epoch"] == epoch)


async def _types(stack: Stack, session_id: str) -> list[str]:
    status, page = await stack.call("GET", f"/v1/sessions/{session_id}/events?limit=100")
    assert status == 200, page
    return [event["type"] for event in page["data"]]


async def _recorded(stack: Stack, session_id: str, speaker: SlotTalker, folder: Path) -> tuple[Truth, dict[str, Any]]:
    """What the rule of all faults leaves to be said: how much was heard, and the recording."""
    [truth] = (await assert_never_silently_wrong(stack, session_id, [speaker], folder)).values()
    _, recording = await stack.call("GET", f"/v1/sessions/{session_id}/recording")
    return truth, recording


async def test_a_killed_recorder_is_replaced_and_both_halves_are_in_the_file(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """kill -9 of a child mid-recording: its runs are released at once, its spool is salvaged, the clock goes on."""
    await stack.start_api()
    slow_beats: dict[str, Any] = {"PARLEY_HEARTBEAT_SECONDS": "4", "PARLEY_STALLED_SECONDS": "12"}
    worker = await stack.start_worker(PARLEY_PROCESSES="2", **slow_beats)
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        started_at = datetime.fromisoformat((await stack.reach(session["id"], "running"))["started_at"])
        await asyncio.sleep(7.5)
        (await recorder_of(stack, session["id"], worker)).kill()
        killed_ms = (datetime.now(UTC) - started_at) / timedelta(milliseconds=1)

        async def retrying() -> bool:
            return "session.retrying" in await _types(stack, session["id"])

        await eventually(retrying, seconds=5, what="another process has taken the session")
        await asyncio.sleep(7)
        assert (await stack.get(session["id"]))["status"] == "running"
        ended = await stack.end(session["id"])

    assert (ended["status"], ended["epoch"]) == ("ended", 2)
    truth, recording = await _recorded(stack, session["id"], ann, tmp_path)
    lost = [gap for gap in recording["gaps"] if gap["code"] == "gap.worker_lost"]
    assert recording["state"] == "incomplete"
    assert len(lost) == 1, lost
    assert killed_ms - 700 < lost[0]["start_ms"] < killed_ms + 100, "it begins where the salvaged spool ends"
    assert lost[0]["end_ms"] - lost[0]["start_ms"] < 5000
    assert truth.placing <= 0.15, "two processes place each half within the timeline's tolerance"
    assert truth.heard * SLOT_SECONDS > 8


async def test_a_lost_host_is_taken_over_by_another_one(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """All of a worker's processes die at once: stale beats tell, another takes over; the lost spool is a named gap."""
    await stack.start_api()
    first = await stack.start_worker("first")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        second = await stack.start_worker("second")
        await asyncio.sleep(5)
        first.kill_with_children()
        await eventually(lambda: _epoch_is(stack, session["id"], 2), seconds=20, what="the second worker took it")
        await asyncio.sleep(6)
        ended = await stack.end(session["id"])

    assert ended["status"] == "ended"
    assert second.popen.poll() is None
    truth, recording = await _recorded(stack, session["id"], ann, tmp_path)
    assert recording["state"] == "incomplete"
    assert any(gap["code"] == "gap.worker_lost" for gap in recording["gaps"])
    assert truth.heard * SLOT_SECONDS > 5
    assert "session.failed" not in await _types(stack, session["id"])


async def test_a_killed_supervisor_takes_no_audio_with_it(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """kill -9 of `parley worker` alone: its children notice, hand their sessions over, and are gone."""
    await stack.start_api()
    first = await stack.start_worker("first")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await stack.start_worker("second")
        await asyncio.sleep(4)
        children = first.children()
        first.kill()

        async def gone() -> bool:
            return not any(child.is_running() and child.status() != "zombie" for child in children)

        await eventually(gone, seconds=25, what="its children have left")
        await eventually(lambda: _epoch_is(stack, session["id"], 2), seconds=20, what="the second worker took it")
        await asyncio.sleep(4)
        ended = await stack.end(session["id"])

    assert ended["status"] == "ended"
    truth, recording = await _recorded(stack, session["id"], ann, tmp_path)
    assert recording["state"] == "available", recording
    assert truth.lost * SLOT_SECONDS <= 1.5, truth


async def test_sigterm_hands_the_session_over(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """The old worker records until the successor's join evicts it: what is lost is short and named; it exits with 0."""
    await stack.start_api()
    first = await stack.start_worker("first")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await stack.start_worker("second")
        await asyncio.sleep(4)
        first.popen.send_signal(signal.SIGTERM)

        async def taken() -> bool:
            return bool((await stack.get(session["id"]))["epoch"] == 2)

        await eventually(taken, seconds=15, what="handed over")
        await asyncio.sleep(6)
        ended = await stack.end(session["id"])
    assert await asyncio.to_thread(first.popen.wait, 40) == 0

    assert ended["status"] == "ended"
    truth, recording = await _recorded(stack, session["id"], ann, tmp_path)
    assert truth.lost * SLOT_SECONDS <= 1.5, truth
    assert sum(gap["end_ms"] - gap["start_ms"] for gap in recording["gaps"]) < 1500, recording
    assert "gap.worker_lost" not in [gap["code"] for gap in recording["gaps"]], "nobody was lost"


async def test_sigterm_without_a_successor_seals_what_it_has(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """Nobody takes over within grace_seconds: the worker seals, uploads and leaves; a later worker goes on."""
    await stack.start_api()
    first = await stack.start_worker("first", PARLEY_GRACE_SECONDS="2")
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await asyncio.sleep(4)
        code = await asyncio.to_thread(first.terminate)
        await stack.start_worker("second")

        async def taken() -> bool:
            return bool((await stack.get(session["id"]))["epoch"] == 2)

        await eventually(taken, seconds=15, what="a later worker went on")
        await asyncio.sleep(4)
        ended = await stack.end(session["id"])

    assert code == 0
    assert ended["status"] == "ended"
    truth, _ = await _recorded(stack, session["id"], ann, tmp_path)
    assert truth.heard * SLOT_SECONDS > 6, "what was recorded before and after it is in the file"


@pytest.mark.long
async def test_a_cancel_during_the_join_leaves_the_neighbors_alone(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """A join is abandoned, not canceled: another session of the same process goes on for 20 s more."""
    await stack.start_api()
    worker = await stack.start_worker()
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        recorder = worker.child("recorder").pid
        for number in range(5):
            other = await stack.create(f"{room}-{number}")
            await asyncio.sleep(0.02 * number)
            status, canceled = await stack.call("POST", f"/v1/sessions/{other['id']}/cancel")
            assert status == 200
            assert canceled["status"] in ("canceled", "ending")
            await stack.reach(other["id"], "canceled")
        await asyncio.sleep(20)
        assert worker.child("recorder").pid == recorder
        ended = await stack.end(session["id"])

    assert (ended["status"], ended["epoch"]) == ("ended", 1)
    truth, recording = await _recorded(stack, session["id"], ann, tmp_path)
    assert truth.lost == 0
    assert holes(recording["gaps"]) == []
