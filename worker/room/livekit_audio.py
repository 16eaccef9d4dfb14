"""Audio tracks by LiveKit's SDK: frames of remote ones are read, a local one is published."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from livekit import rtc

from audio.pcm import SAMPLE_RATE, Pcm
from store.database.boot_clock import boottime_ns

FRAME_MS = 100
_CLOSE_SECONDS = 5.0
_SOURCE_QUEUE_MS = 1000


async def read_frames(track: rtc.RemoteAudioTrack, append: Callable[[int, Pcm], None]) -> None:
    """Hand every frame of a track to `append(boottime_ns at arrival, samples)` until it ends.

    It does nothing else, because frames that are not read pile up in the native library without limit.
    """
    stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS)
    try:
        async for event in stream:
            append(boottime_ns(), np.frombuffer(event.frame.data, dtype=np.int16))
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
