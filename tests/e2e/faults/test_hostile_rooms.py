"""Rooms whose server means harm, beside one that does not."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile

from tests.support.network.hostile_room import flooding
from tests.support.rules.holes import holes
from tests.support.running.stack import Stack, eventually
from tests.support.talkers.beeps import BeepPlan, assert_true_recording, check_beeps
from worker.vitals.process_memory import MIB, resident_bytes

PLAN = BeepPlan(pitch_hz=700)
_MOST_MIB = 400  # of a recorder, 130 of which are its own


async def test_floods_are_cut_off_and_a_neighbor_in_the_same_process_hears_nothing_of_them(
    stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """Three rooms flood their joins: their sessions fail by that name, and the recorder stays as large as it is."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_ROOM_BURST_KB="128")
    recorder = worker.child("recorder").pid
    most = 0
    async with talker("ann", PLAN), flooding("127.0.0.1") as hostile:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        attackers = [await stack.create(f"{room}-{number}", transport={"url": hostile.url}) for number in range(3)]

        async def all_failed() -> bool:
            nonlocal most
            most = max(most, resident_bytes(recorder))
            states = [(await stack.get(attacker["id"])) for attacker in attackers]
            return all(state["status"] == "failed" for state in states)

        await eventually(all_failed, seconds=30, what="attackers fail")
        await asyncio.sleep(3)
        most = max(most, resident_bytes(recorder))
        ended = await stack.end(session["id"])
    failures = [(await stack.get(attacker["id"]))["error"]["code"] for attacker in attackers]
    assert failures == ["room.flood"] * 3
    assert worker.child("recorder").pid == recorder
    assert 0 < most < _MOST_MIB * MIB, most // MIB
    wav = await stack.download(ended["id"], tmp_path / "conversation.wav")
    samples, rate = soundfile.read(wav, dtype="int16")
    assert_true_recording([check_beeps(samples, PLAN, 1, len(samples) / rate - 0.5)])
    _, recording = await stack.call("GET", f"/v1/sessions/{ended['id']}/recording")
    assert holes(recording["gaps"]) == []
