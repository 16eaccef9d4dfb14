"""One participant per room, who talks without end."""

import asyncio

import numpy as np
from livekit import rtc

from bench.children.line_answers import answer, next_request
from parley.demo.script import SPOKEN_RATE, TALKERS, part_of

_CHUNK_SAMPLES = SPOKEN_RATE // 10
_QUEUE_MS = 300


async def main() -> None:
    where = await next_request()
    speech = sum((part_of(who) for who in TALKERS), start=np.zeros(1, dtype=np.int16))
    rooms: list[rtc.Room] = []
    async with asyncio.TaskGroup() as group:
        talkers = []
        for number, token in enumerate(where["tokens"]):
            room, source = await _join(where["url"], token)
            rooms.append(room)
            talkers.append(
                group.create_task(_talk(source, np.roll(speech, number * SPOKEN_RATE)), name=f"talk {number}")
            )
        answer("talking")
        await next_request()
        for talker in talkers:
            talker.cancel()
    for room in rooms:
        await room.disconnect()


async def _join(url: str, token: str) -> tuple[rtc.Room, rtc.AudioSource]:
    room = rtc.Room()
    await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
    source = rtc.AudioSource(SPOKEN_RATE, 1, queue_size_ms=_QUEUE_MS)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
    await room.local_participant.publish_track(track, options)
    return room, source


async def _talk(source: rtc.AudioSource, speech: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> None:
    while True:
        for start in range(0, len(speech) - _CHUNK_SAMPLES, _CHUNK_SAMPLES):
            chunk = speech[start : start + _CHUNK_SAMPLES]
            await source.capture_frame(rtc.AudioFrame(chunk.tobytes(), SPOKEN_RATE, 1, len(chunk)))


if __name__ == "__main__":
    asyncio.run(main())
