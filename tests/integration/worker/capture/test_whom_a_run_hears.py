"""Whom a worker records, and what the room hears of the worker."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from livekit import rtc
from pydantic import SecretStr

from parley.servers.livekit_server import LiveKitServer
from tests.integration.worker.studio import Studio
from tests.support.running.stack import eventually
from tests.support.samples.segments import gaps_of, identities_of, labels_of, pcm_of
from tests.support.talkers.beeps import BeepPlan, BeepTalker, check_beeps, mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice
from worker.capture import synthetic_input
from worker.room.events import AudioSubscribed
from worker.room.livekit.joining import connect_room
from worker.room.livekit.room import LiveKitRoom
from worker.room.subscription import Subscription

ANN = BeepPlan(700.0)
BOB = BeepPlan(1100.0, offset_seconds=0.5)


async def test_only_the_identity_that_was_asked_for_is_recorded(studio: Studio, room: str) -> None:
    """subscribe_to_identity: Bob talks all the time and is not recorded; Ann has her name, her track its own."""
    session = await studio.create(room, subscribe_to_identity="ann")
    url = studio.livekit.url
    async with studio.recorder(), BeepTalker(url, studio.token(room, "bob"), BOB):
        await studio.reaches(session, "running")
        await asyncio.sleep(1)
        async with BeepTalker(url, studio.token(room, "ann", name="Ann Lee"), ANN):
            await asyncio.sleep(5)
            await studio.sessions.commands.end(studio.organization_id, session.id)
            await studio.sealed(session)
    segments = await studio.segments(session)
    pcm = pcm_of(segments)
    seconds = len(pcm) / 48_000
    assert {(one["identity"], one["name"], one["speaker"]) for one in labels_of(segments)} == {
        ("ann", "beeps", "Ann Lee")
    }
    assert len(check_beeps(pcm, ANN, 0, seconds).onsets) >= 4
    assert check_beeps(pcm, BOB, 0, seconds).onsets == ()


async def test_no_more_tracks_are_recorded_than_may_be_and_the_rest_is_named(studio: Studio, room: str) -> None:
    """The first one is recorded to its end; the second one is a gap for as long as it was there."""
    session = await studio.create(room)
    url = studio.livekit.url
    async with studio.recorder(tracks_per_session=1), BeepTalker(url, studio.token(room, "ann"), ANN):
        await studio.reaches(session, "running")
        await asyncio.sleep(1)
        async with BeepTalker(url, studio.token(room, "bob"), BOB):
            await asyncio.sleep(4)
            await studio.sessions.commands.end(studio.organization_id, session.id)
            await studio.sealed(session)
    segments = await studio.segments(session)
    assert identities_of(segments) == {"ann"}
    assert "gap.track_limit" in gaps_of(segments)
    assert "gap.permission" not in gaps_of(segments)


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


_SETTLED_SECONDS = 2.0  # LiveKit has sent what it would send


@pytest.fixture
async def ann_with_video(livekit: LiveKitServer) -> AsyncIterator[SlotTalker]:
    """She speaks, and shows a video."""
    token = mint_token(livekit.api_key, livekit.api_secret, "with-join", "ann")
    async with SlotTalker(livekit.url, token, SlotVoice(0)) as ann, camera(ann):
        yield ann


@asynccontextmanager
async def camera(talker: SlotTalker) -> AsyncIterator[None]:
    """Ten small pictures a second."""
    source = rtc.VideoSource(64, 64)
    track = rtc.LocalVideoTrack.create_video_track("camera", source)
    await talker.room.local_participant.publish_track(track)

    async def film() -> None:
        while True:
            source.capture_frame(rtc.VideoFrame(64, 64, rtc.VideoBufferType.RGBA, bytes(64 * 64 * 4)))
            await asyncio.sleep(0.1)

    filming = asyncio.create_task(film())
    try:
        yield
    finally:
        filming.cancel()
        await asyncio.wait({filming})


async def join(livekit: LiveKitServer, subscription: Subscription) -> tuple[LiveKitRoom, list[str]]:
    """The room, and the identities that it subscribed to."""
    token = mint_token(livekit.api_key, livekit.api_secret, "with-join", "parley", hidden=True, can_publish=False)
    room = await connect_room(livekit.url, SecretStr(token), subscription)
    room.listen()
    await asyncio.sleep(_SETTLED_SECONDS)
    return room, [event.track.identity for event in room.events.drain() if isinstance(event, AudioSubscribed)]


async def received(room: LiveKitRoom) -> Counter[str]:
    """How many tracks of each kind send packets to the room's worker: what counts, whatever the SDK says."""
    before = await packets_by_track(room)
    await asyncio.sleep(1)
    after = await packets_by_track(room)
    return Counter(kind for (kind, track), packets in after.items() if packets > before.get((kind, track), 0))


async def packets_by_track(room: LiveKitRoom) -> dict[tuple[str, str], int]:
    """Packets received, by kind and by what the statistics call the track."""
    stats = await room._room.get_rtc_stats()
    return {
        (
            one.inbound_rtp.stream.kind,
            one.inbound_rtp.inbound.track_identifier,
        ): one.inbound_rtp.received.packets_received
        for one in (*stats.publisher_stats, *stats.subscriber_stats)
        if one.HasField("inbound_rtp")
    }


async def test_what_is_not_wanted_is_not_taken(livekit: LiveKitServer, ann_with_video: SlotTalker) -> None:
    """Video comes with the join, and is refused at once; so is the voice of whoever was not asked for."""
    token = mint_token(livekit.api_key, livekit.api_secret, "with-join", "bob")
    async with SlotTalker(livekit.url, token, SlotVoice(1)):
        everybody, heard = await join(livekit, Subscription(with_join=True))
        flowing = await received(everybody)
        await everybody.leave()
        assert (sorted(heard), flowing) == (["ann", "bob"], {"audio": 2})

        one, heard = await join(livekit, Subscription("bob", with_join=True))
        flowing = await received(one)
        await one.leave()
        assert (heard, flowing) == (["bob"], {"audio": 1})


async def test_a_video_that_begins_later_is_not_taken_either(
    livekit: LiveKitServer, ann_with_video: SlotTalker
) -> None:
    """LiveKit would send whatever is published to somebody who joined so."""
    room, _ = await join(livekit, Subscription(with_join=True))
    async with camera(ann_with_video):
        await asyncio.sleep(_SETTLED_SECONDS)
        flowing = await received(room)
    await room.leave()
    assert flowing == {"audio": 1}
