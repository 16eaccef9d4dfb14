"""Audio tracks by LiveKit's SDK: frames of remote ones are read, a local one is published."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from livekit import rtc

from audio.downmix import Downmix
from audio.pcm import SAMPLE_RATE, Pcm
from store.database.boot_clock import boottime_ns

FRAME_MS = 100
_CLOSE_SECONDS = 5.0
_SOURCE_QUEUE_MS = 1000


async def read_frames(track: rtc.RemoteAudioTrack, append: Callable[[int, Pcm], None]) -> None:
    """Hand every frame of a track, made mono, to `append(boottime_ns at arrival, samples)` until it ends.

    It does little else, because frames that are not read pile up in the native library without limit. Two channels are
    asked for of every track: of one, the library makes a mean, in which opposite channels are silent, and a track's
    feature TF_STEREO says what its sender intends and not what it sends. Measured with livekit 1.2.1: a mono track has
    the same samples in both, and costs as much CPU as before.
    """
    stream = rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=2, frame_size_ms=FRAME_MS)
    downmix = Downmix()
    try:
        async for event in stream:
            arrival_ns = boottime_ns()
            append(arrival_ns, downmix.to_mono(np.frombuffer(event.frame.data, dtype=np.int16).reshape(-1, 2)))
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
