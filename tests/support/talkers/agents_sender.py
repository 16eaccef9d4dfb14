"""An agent's audio output as livekit-agents makes it. Runs in the peer's own environment (see `tools/peers`).

`agents_sender.py URL TOKEN DESTINATION PLAN`: PLAN is a JSON list of segments {pitch_hz, seconds, wait (for the end of
its playing), interrupt_seconds (after it was sent and had started; null: never)}. Says what it hears, a JSON line each.
"""

import asyncio
import json
import sys
import time
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import DataStreamAudioOutput

RATE = 24_000
FRAME = RATE // 50
OFFSET_SECONDS, PERIOD_SECONDS, BEEP_SECONDS = 0.25, 0.5, 0.15


def beeps(pitch_hz: float, seconds: float) -> Any:
    """As tests.support.talkers.beeps.BeepPlan draws them."""
    position = np.arange(round(seconds * RATE)) / RATE
    since = np.mod(position - OFFSET_SECONDS, PERIOD_SECONDS)
    gain = np.clip(np.minimum(since, BEEP_SECONDS - since) / 0.005, 0.0, 1.0) * (position >= OFFSET_SECONDS)
    return np.rint(8000 * gain * np.sin(2 * np.pi * pitch_hz * position)).astype(np.int16)


def say(**news: Any) -> None:
    print(json.dumps({**news, "at": time.monotonic()}), flush=True)  # noqa: T201 - its stdout is how it reports


async def speak(output: Any, number: int, segment: dict[str, Any], started: asyncio.Event) -> None:
    """One segment; said when it is sent, and how its playing ended."""
    started.clear()
    pcm = beeps(segment["pitch_hz"], segment["seconds"])
    say(event="sending", segment=number)
    for start in range(0, len(pcm), FRAME):
        piece = pcm[start : start + FRAME]
        await output.capture_frame(rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece)))
    output.flush()
    say(event="sent", segment=number)
    if segment.get("interrupt_seconds") is not None:
        async with asyncio.timeout(20):
            await started.wait()
        await asyncio.sleep(segment["interrupt_seconds"])
        say(event="clearing", segment=number)
        output.clear_buffer()
    if segment.get("wait", True):
        async with asyncio.timeout(60):
            played = await output.wait_for_playout()
        say(event="played", segment=number, position=played.playback_position, interrupted=played.interrupted)


async def main(url: str, token: str, destination: str, plan: list[dict[str, Any]]) -> None:
    room = rtc.Room()
    await room.connect(url, token)
    output = DataStreamAudioOutput(
        room, destination_identity=destination, sample_rate=RATE, wait_playback_start=True, clear_buffer_timeout=5
    )
    started = asyncio.Event()

    def note_start(_: object) -> None:
        started.set()
        say(event="started")

    output.on("playback_started", note_start)
    output.on(
        "playback_finished",
        lambda event: say(event="finished", position=event.playback_position, interrupted=event.interrupted),
    )
    for number, segment in enumerate(plan):
        await speak(output, number, segment, started)
    await room.disconnect()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])))
