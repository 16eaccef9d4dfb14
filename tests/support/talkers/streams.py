"""A sender of PCM in byte streams, as livekit-agents' DataStreamAudioOutput is one, on the SDK alone."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import api, rtc
from numpy.typing import NDArray

from tests.integration.worker.studio import Studio
from tests.support.running.stack import eventually
from tests.support.talkers.beeps import BeepPlan

TOPIC = "lk.audio_stream"
HEAD_BYTES = 24_000  # half a second, as most tests send it


@dataclass
class Notice:
    """What the player said, and when (monotonic seconds)."""

    method: str
    payload: dict[str, Any]
    at: float


@dataclass
class StreamSender:
    """A participant that sends segments to `destination`; `notices` is what it hears of their playing."""

    room: rtc.Room
    destination: str
    notices: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        for method in ("lk.playback_started", "lk.playback_finished"):
            self.room.local_participant.register_rpc_method(method, self._heard)

    def _heard(self, invocation: rtc.RpcInvocationData) -> str:
        payload = json.loads(invocation.payload) if invocation.payload else {}
        self.notices.append(Notice(invocation.method.removeprefix("lk.playback_"), payload, time.monotonic()))
        return "ok"

    @property
    def finished(self) -> list[dict[str, Any]]:
        """The payloads of all `lk.playback_finished`."""
        return [notice.payload for notice in self.notices if notice.method == "finished"]

    async def open(self, *, rate: int = 24_000, channels: int = 1, **attributes: str) -> rtc.ByteStreamWriter:
        """Begin a segment; `attributes` overrule what it says about itself."""
        return await self.room.local_participant.stream_bytes(
            name="AUDIO_test",
            topic=TOPIC,
            destination_identities=[self.destination],
            attributes={"sample_rate": str(rate), "num_channels": str(channels), **attributes},
        )

    async def send(self, data: bytes, *, chunk_bytes: int = 4800, **options: Any) -> None:
        """A whole segment, as fast as it goes; its head at once, so that no later write is late for the player."""
        writer = await self.open(**options)
        if data:
            await writer.write(data[:HEAD_BYTES])
        for start in range(HEAD_BYTES, len(data), chunk_bytes):
            await writer.write(data[start : start + chunk_bytes])
        await writer.aclose()

    async def clear(self) -> str:
        """Take back what is not played."""
        return await self.room.local_participant.perform_rpc(
            destination_identity=self.destination, method="lk.clear_buffer", payload=""
        )

    async def told(self, count: int, *, seconds: float = 10) -> list[dict[str, Any]]:
        """Wait until so many segments are finished."""

        async def enough() -> bool:
            return len(self.finished) >= count

        await eventually(enough, seconds=seconds, what=f"{count} segments are finished")
        return self.finished


@asynccontextmanager
async def stream_sender(
    studio: Studio, room_name: str, identity: str = "agent", destination: str = "worker", *, kind: str = "agent"
) -> AsyncIterator[StreamSender]:
    """A sender in the room, once the destination is there too."""
    token = (
        api.AccessToken(studio.livekit.api_key, studio.livekit.api_secret)
        .with_identity(identity)
        .with_kind(kind)  # type: ignore[arg-type]
        .with_grants(api.VideoGrants(room_join=True, room=room_name))
        .to_jwt()
    )
    room = rtc.Room()
    await room.connect(studio.livekit.url, token, rtc.RoomOptions(auto_subscribe=False))
    try:

        async def there() -> bool:
            return destination in room.remote_participants

        await eventually(there, seconds=20, what=f"{destination} is in the room")
        yield StreamSender(room, destination)
    finally:
        await room.disconnect()


def beeps(plan: BeepPlan, seconds: float, *, rate: int = 24_000) -> NDArray[np.int16]:
    """So many seconds of a plan, at a rate that divides 48 kHz: every n-th sample of it."""
    step = 48_000 // rate
    return plan.samples(0, round(seconds * 48_000))[::step]
