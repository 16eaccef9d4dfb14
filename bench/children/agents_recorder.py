"""A bare recorder on livekit-agents: one WAV per session, nothing else. Runs in the peer's own environment.

`python -m livekit.agents start agents_recorder.py`: production mode, all defaults but those that would refuse jobs
(the load: its server sends none to a worker on a busy machine) or clash (the port).
"""

import asyncio
import math
import os
import wave
from pathlib import Path

from livekit import rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext

_FOLDER = Path(os.environ["BENCH_FOLDER"])
_SAMPLE_RATE = int(os.environ["BENCH_SAMPLE_RATE"])
_FRAME_MS = int(os.environ["BENCH_FRAME_MS"])

server = AgentServer(host="127.0.0.1", port=0, load_fnc=lambda: 0.0, load_threshold=math.inf, drain_timeout=5)


async def _record(track: rtc.Track, path: Path) -> None:
    stream = rtc.AudioStream(track, sample_rate=_SAMPLE_RATE, num_channels=1, frame_size_ms=_FRAME_MS)
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(_SAMPLE_RATE)
        try:
            async for event in stream:
                wav.writeframesraw(event.frame.data)
        finally:
            await stream.aclose()


@server.rtc_session(agent_name=os.environ["BENCH_AGENT"])  # type: ignore[untyped-decorator]
async def record(context: JobContext) -> None:
    tasks = set()

    def subscribed(track: rtc.Track, *_: object) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            path = _FOLDER / f"{context.room.name}.wav"
            tasks.add(asyncio.create_task(_record(track, path)))

    context.room.on("track_subscribed", subscribed)
    await context.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
