"""Audio tracks by LiveKit's SDK: frames of remote ones are read, a local one is published."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

import numpy as np
from livekit import rtc

from audio.downmix import Downmix
from audio.pcm import SAMPLE_RATE, Pcm
from store.database.boot_clock import boottime_ns
from worker.room.livekit.frame_tail import FrameTail, Stereo

FRAME_MS = 100
TAIL_FRAME_MS = 20
_CLOSE_SECONDS = 5.0
_SOURCE_QUEUE_MS = 1000


class TrackReader:
    """Hands every frame of a track, made mono, to `append(boottime_ns at arrival, samples)` until it ends.

    It does little else, because frames that are not read pile up in the native library without limit. Every track is
    read with two channels: asked for one, the library would take the mean, in which opposite channels cancel out; and a
    track's feature TF_STEREO says what its sender intends, not what it sends. Measured with livekit 1.2.1: a mono track
    has the same samples in both, and costs as much CPU as before.

    What does not fill a frame is lost at a track's end, 50 ms on average. Frames that were small enough would cost CPU
    all the time; so a second stream has them, once the end is near.
    """

    def __init__(self, track: rtc.RemoteAudioTrack, append: Callable[[int, Pcm], None]) -> None:
        self._track = track
        self._append = append
        self._downmix = Downmix()
        self._tail = FrameTail()
        self._near = asyncio.Event()
        self._ended = False

    async def run(self) -> None:
        """Read until the track ends."""
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._follow_tail(), name="track-tail")
            async with aclosing(_frames(self._track, FRAME_MS)) as frames:
                async for arrival_ns, stereo in frames:
                    if not self._ended:
                        self._tail.take_large(arrival_ns, stereo)
                        self._append(arrival_ns, self._downmix.to_mono(stereo))
            following.cancel()
        self.end()

    def keep_tail(self) -> None:
        """The end is near: let `end` hand out the last samples, too. May be called again."""
        self._near.set()

    def end(self) -> None:
        """The track has ended: hand out what fills no frame, and nothing more. May be called again."""
        if self._ended:
            return
        self._ended = True
        rest = self._tail.rest()
        if rest is not None:
            self._append(rest[0], self._downmix.to_mono(rest[1]))

    async def _follow_tail(self) -> None:
        await self._near.wait()
        async with aclosing(_frames(self._track, TAIL_FRAME_MS)) as frames:
            async for arrival_ns, stereo in frames:
                self._tail.take_small(arrival_ns, stereo)


async def _frames(track: rtc.RemoteAudioTrack, frame_ms: int) -> AsyncGenerator[tuple[int, Stereo], None]:
    """When each frame arrived, and its samples of shape (n, 2)."""
    stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=2, frame_size_ms=frame_ms)
    try:
        async for event in stream:
            yield boottime_ns(), np.frombuffer(event.frame.data, dtype=np.int16).reshape(-1, 2)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await stream.aclose()


async def publish_blocks(
    room: rtc.Room, source: rtc.AudioSource, name: str, next_block: Callable[[int], Pcm], block_samples: int
) -> None:
    """Publish `source` as a track and feed it `next_block(number)`, in real time, until canceled."""
    track = rtc.LocalAudioTrack.create_audio_track(name, source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
    publication = await room.local_participant.publish_track(track, options)
    try:
        number = 0
        while True:
            pcm = next_block(number)
            await source.capture_frame(rtc.AudioFrame(pcm.tobytes(), SAMPLE_RATE, 1, block_samples))
            number += 1
    finally:
        if room.isconnected():
            async with asyncio.timeout(_CLOSE_SECONDS):
                await room.local_participant.unpublish_track(publication.sid)


def local_source() -> rtc.AudioSource:
    """The source that feeds a published track; it owns a timer thread until it is closed."""
    return rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=_SOURCE_QUEUE_MS)
