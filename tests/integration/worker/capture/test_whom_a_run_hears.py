"""Whom a worker records, and what the room hears of the worker."""

import asyncio

import numpy as np
import pytest
from livekit import rtc

from tests.integration.worker.studio import Studio
from tests.support.beeps import BeepPlan, BeepTalker, check_beeps
from tests.support.segments import identities_of, pcm_of
from tests.support.stack import eventually
from worker.capture import synthetic_input

ANN = BeepPlan(700.0)
BOB = BeepPlan(1100.0, offset_seconds=0.5)


async def test_only_the_identity_that_was_asked_for_is_recorded(studio: Studio, room: str) -> None:
    """subscribe_to_identity: Bob talks all the time and is not in the recording, before or after Ann comes."""
    session = await studio.create(room, subscribe_to_identity="ann")
    url = studio.livekit.url
    async with studio.recorder(), BeepTalker(url, studio.token(room, "bob"), BOB):
        await studio.reaches(session, "running")
        await asyncio.sleep(1)
        async with BeepTalker(url, studio.token(room, "ann"), ANN):
            await asyncio.sleep(5)
            await studio.sessions.commands.end(studio.organization_id, session.id)
            await studio.sealed(session)
    segments = await studio.segments(session)
    pcm = pcm_of(segments)
    seconds = len(pcm) / 48_000
    assert identities_of(segments) == {"ann"}
    assert len(check_beeps(pcm, ANN, 0, seconds).onsets) >= 4
    assert check_beeps(pcm, BOB, 0, seconds).onsets == ()


class Listener:
    """A participant that keeps what it hears, and knows whether it heard anybody publish."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.heard: list[np.ndarray] = []
        self.published: list[str] = []
        self._reading: list[asyncio.Task[None]] = []
        self.room.on("track_published", lambda publication, _: self.published.append(publication.sid))
        self.room.on("track_subscribed", lambda track, *_: self._reading.append(asyncio.create_task(self._read(track))))

    async def _read(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=48_000, num_channels=1, frame_size_ms=100)
        try:
            async for event in stream:
                self.heard.append(np.frombuffer(event.frame.data, dtype=np.int16))
        finally:
            await stream.aclose()

    async def leave(self) -> None:
        for task in self._reading:
            task.cancel()
        if self._reading:
            await asyncio.wait(self._reading)
        await self.room.disconnect()


@pytest.mark.parametrize(
    ("grants", "audible"),
    [
        ({}, True),
        ({"can_publish": False}, False),
        ({"hidden": True}, False),
    ],
    ids=["may publish", "may not publish", "hidden"],
)
async def test_the_room_hears_the_sine_if_the_token_allows_it(
    studio: Studio, room: str, grants: dict[str, bool], audible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """440 Hz for a listener that was never a reason to stop it: a hidden one; recorded in any case."""
    monkeypatch.setattr(synthetic_input, "_AFTER_SAMPLES", 48_000)
    session = await studio.create(room, token=studio.token(room, "worker", **grants), sine=True)
    listener = Listener()
    async with studio.recorder():
        await studio.reaches(session, "running")
        await listener.room.connect(studio.livekit.url, studio.token(room, "monitor", hidden=True))

        async def two_seconds() -> bool:
            return len(listener.heard) > 20

        if audible:
            await eventually(two_seconds)
        else:
            await asyncio.sleep(4)
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
        await listener.leave()
    recorded = pcm_of(await studio.segments(session))[-48_000:]
    assert int(np.argmax(np.abs(np.fft.rfft(recorded.astype(float))))) == 440
    if audible:
        heard = np.concatenate(listener.heard[-10:]).astype(float)
        assert abs(int(np.argmax(np.abs(np.fft.rfft(heard)))) - 440) <= 1
    else:
        assert (listener.published, listener.heard) == ([], [])
