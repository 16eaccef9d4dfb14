"""What a worker hears right before another one joins with its identity, and so evicts it."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import SecretStr

from audio.pcm import Pcm
from parley.servers.livekit_server import LiveKitServer
from store.database.boot_clock import boottime_ns
from tests.support.running.stack import eventually
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice
from worker.room.events import AudioSubscribed, Disconnected
from worker.room.livekit.audio import FRAME_MS
from worker.room.livekit.joining import connect_room
from worker.room.livekit.room import LiveKitRoom
from worker.room.subscription import Subscription

_EVICTIONS = 4  # a rest that happens to be empty is as long as a small frame of a large one's: one in five
_FRAME_SAMPLES = 48 * FRAME_MS


class Hearing:
    """A room and what was heard in it."""

    def __init__(self, room: LiveKitRoom) -> None:
        self.room = room
        self.frames: list[tuple[int, Pcm]] = []
        self.evicted_ns: int | None = None

    async def listen(self, *, keep_tails: bool) -> None:
        """Until it is evicted."""
        self.room.listen()
        if keep_tails:
            self.room.keep_tails()
        async with asyncio.TaskGroup() as group:
            reading: list[asyncio.Task[None]] = []
            while self.evicted_ns is None:
                for event in self.room.events.drain():
                    if isinstance(event, AudioSubscribed):
                        reading.append(group.create_task(self.room.read_frames(event.track.sid, self._append)))
                    elif isinstance(event, Disconnected):
                        self.evicted_ns = boottime_ns()
                await asyncio.sleep(0.01)
            for task in reading:
                task.cancel()
        await self.room.leave()

    def _append(self, arrival_ns: int, pcm: Pcm) -> None:
        if self.evicted_ns is None:
            self.frames.append((arrival_ns, pcm))


async def evictions(livekit: LiveKitServer, room: str, count: int, *, keep_tails: bool) -> list[Sequence[int]]:
    """The lengths of the frames that each evicted worker has heard of one talker."""

    def token(identity: str) -> str:
        return mint_token(livekit.api_key, livekit.api_secret, room, identity)

    lengths: list[Sequence[int]] = []
    async with SlotTalker(livekit.url, token("ann"), SlotVoice(0)):
        worker_token = SecretStr(token("worker"))
        hearing = Hearing(await connect_room(livekit.url, worker_token, Subscription(with_join=True)))
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                listening = group.create_task(hearing.listen(keep_tails=keep_tails))

                async def a_second(hearing: Hearing = hearing) -> bool:
                    return len(hearing.frames) >= 10

                await eventually(a_second)
                successor = Hearing(await connect_room(livekit.url, worker_token, Subscription(with_join=True)))
                await listening
                lengths.append([len(pcm) for _, pcm in hearing.frames])
                hearing = successor
            await hearing.room.leave()
    return lengths


@pytest.mark.parametrize("keep_tails", [True, False])
async def test_what_fills_no_frame_is_heard_if_it_is_asked_for(
    livekit: LiveKitServer, room: str, keep_tails: bool
) -> None:
    """It comes last, is shorter than a frame, and is not asked for without need: it costs CPU."""
    rests = []
    for lengths in await evictions(livekit, room, _EVICTIONS, keep_tails=keep_tails):
        *whole, last = lengths
        assert set(whole) == {_FRAME_SAMPLES}
        rests.append(last % _FRAME_SAMPLES)
    assert np.any(rests) == keep_tails, rests
