"""livekit-agents itself, the newest release, sends to Parley as it sends to an avatar worker."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from livekit import api

from tests.support.running.recording_process import recorder_of
from tests.support.running.stack import Stack, eventually
from tests.support.talkers.beeps import BeepPlan, find_beeps
from tools.peers.peer_environment import NoPeerError, agents_python

RATE = 48_000
SCRIPT = Path(__file__).parents[2] / "support" / "talkers" / "agents_sender.py"
LOW = BeepPlan(700.0, offset_seconds=0.25, period_seconds=0.5)
HIGH = BeepPlan(1900.0, offset_seconds=0.25, period_seconds=0.5)


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """The Python of the environment that has livekit-agents; fails in CI where it can't be made."""
    try:
        return agents_python()
    except NoPeerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO LIVEKIT-AGENTS: {error}")


class Agent:
    """The sender's process, and what it has said so far."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.noise: list[str] = []

    def all(self, event: str) -> list[dict[str, Any]]:
        """Everything of one kind."""
        return [one for one in self.said if one["event"] == event]

    async def says(self, event: str, count: int = 1, *, seconds: float = 40) -> list[dict[str, Any]]:
        """Wait until it has said so many of one kind."""

        async def said() -> bool:
            return len(self.all(event)) >= count

        await eventually(said, seconds=seconds, what=f"the agent says {event}: {self.said} {self.noise[-20:]}")
        return self.all(event)


@asynccontextmanager
async def agent(stack: Stack, room: str, python: Path, plan: list[dict[str, Any]]) -> AsyncIterator[Agent]:
    """An agent that speaks to a plan."""
    token = (
        api.AccessToken(stack.livekit.api_key, stack.livekit.api_secret)
        .with_identity("agent")
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )
    process = await asyncio.create_subprocess_exec(
        python, SCRIPT, stack.livekit.url, token, "avatar", json.dumps(plan),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    one = Agent()

    async def listen() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.startswith(b"{"):
                one.said.append(json.loads(line))
            else:
                one.noise.append(line.decode(errors="replace"))

    listening = asyncio.create_task(listen())
    try:
        yield one
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


async def create(stack: Stack, room: str, **fields: Any) -> dict[str, Any]:
    """A session that stands where the avatar would."""
    token = stack.token(room, "avatar", hidden=False, can_publish=False, can_publish_data=True)
    return await stack.create(room, token=token, transport={"audio_source": "data_stream"}, **fields)


async def test_an_agent_is_recorded_as_it_would_have_been_heard(
    common_stack: Stack, room: str, peer_python: Path, tmp_path: Path
) -> None:
    """Two segments in a row, an interrupted one, one after that: places, pitch and lengths as played, each answered."""
    stack = common_stack
    session = await create(stack, room, recording={"layout": "stereo"})
    plan: list[dict[str, Any]] = [
        {"pitch_hz": 700, "seconds": 4, "wait": False},
        {"pitch_hz": 1900, "seconds": 2},
        {"pitch_hz": 700, "seconds": 8, "interrupt_seconds": 1.6},
        {"pitch_hz": 1900, "seconds": 2},
    ]
    async with agent(stack, room, peer_python, plan) as speaker:
        played = await speaker.says("played", 3, seconds=60)
        ended = await stack.end(session["id"])

    finished = speaker.all("finished")
    assert [one["interrupted"] for one in finished] == [False, False, True, False], (speaker.said, speaker.noise)
    assert [one["position"] for one in finished if not one["interrupted"]] == [4.0, 2.0, 2.0]
    interrupted = finished[2]["position"]
    assert (played[1]["position"], played[1]["interrupted"]) == (interrupted, True)
    times = {name: [one["at"] for one in speaker.all(name)] for name in ("sending", "sent", "started", "clearing")}
    sending, sent, started, (clearing,) = times.values()
    assert len(started) == 4
    assert sent[0] < finished[0]["at"], "faster than it is heard"
    assert sending[0] + 4 < finished[0]["at"] < started[0] + 5, "played in real time, however fast it was sent"
    # It began after it was sent and before the agent heard of it, and was cut between the agent's call and the news.
    assert clearing - started[2] - 0.001 < interrupted < finished[2]["at"] - sending[2] + 0.001
    assert finished[2]["at"] - clearing < 1

    samples, rate = soundfile.read(await stack.download(session["id"], tmp_path / "a.wav"), dtype="int16")
    assert rate == RATE
    assert not np.any(samples[:, 1])
    left = samples[:, 0]
    low, high = np.array(find_beeps(left, LOW)), np.array(find_beeps(left, HIGH))
    lead = find_beeps(LOW.samples(0, RATE), LOW)[0]  # from a segment's start to where its first beep is found
    assert len(low) - 8 in LOW.found(interrupted)
    assert len(high) == 8
    assert np.allclose(low[:8] - low[0], 0.5 * np.arange(8), atol=0.003)
    assert np.allclose(high[:4] - low[0], 4 + 0.5 * np.arange(4), atol=0.005), "directly after the segment before"
    assert np.allclose(low[8:] - low[8], 0.5 * np.arange(len(low) - 8), atol=0.003)
    assert np.allclose(high[4:] - high[4], 0.5 * np.arange(4), atol=0.003)
    assert sending[2] - started[0] - 0.005 < low[8] - low[0] < started[2] - sending[0] + 0.005, "when it was sent"
    cut, fourth = low[8] - lead + interrupted, high[4] - lead
    assert cut - 0.005 < fourth
    assert not np.any(left[round((cut + 0.01) * RATE) : round((fourth - 0.01) * RATE)]), "what was taken back"

    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert (recording["state"], recording["gaps"]) == ("available", [])
    _, page = await stack.call("GET", f"/v1/sessions/{session['id']}")
    assert page["transport"]["audio_source"] == "data_stream"
    assert ended["usage"]["audio_ms_received"] == pytest.approx(8000 + interrupted * 1000, abs=20)


async def test_an_agent_goes_on_when_its_worker_is_killed(
    stack: Stack, room: str, peer_python: Path, tmp_path: Path
) -> None:
    """kill -9 while ten seconds are played: what was played is kept; the successor frees the agent, who goes on."""
    await stack.start_api()
    worker = await stack.start_worker(PARLEY_PROCESSES="2")
    session = await create(stack, room)
    plan = [{"pitch_hz": 700, "seconds": 10}, {"pitch_hz": 1900, "seconds": 2}]
    async with agent(stack, room, peer_python, plan) as speaker:
        await speaker.says("started")
        await speaker.says("sent")
        await asyncio.sleep(2.5)
        (await recorder_of(stack, session["id"], worker)).kill()
        killed_at = time.monotonic()
        await speaker.says("played", 2, seconds=40)
        await stack.end(session["id"])

    finished = speaker.all("finished")
    assert [one["interrupted"] for one in finished] == [True, False], (speaker.said, speaker.noise)
    assert finished[1]["position"] == 2.0
    samples, _ = soundfile.read(await stack.download(session["id"], tmp_path / "a.wav"), dtype="int16")
    low, high = find_beeps(samples, LOW), find_beeps(samples, HIGH)
    played_seconds = killed_at - speaker.all("sending")[0]["at"]
    assert 4 <= len(low) <= 2 * played_seconds + 1, "what had been played by then, and no more"
    assert len(high) == 4
    assert low[-1] < high[0]
