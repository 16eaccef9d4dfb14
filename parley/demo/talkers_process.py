"""`python -m parley.demo.talkers_process`: both talkers as participants of a LiveKit room, in a process of their own.

One JSON object on stdin says where (url, tokens by talker) and for how many seconds they talk (the conversation is
repeated, or cut off); the line `talk` starts them; the end of stdin makes them leave. Lines on stdout tell: `joined`,
`talking <unix seconds of the first sample>`, `silent`. Tokens come over stdin, as other users can read a command line.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from livekit import rtc

from parley.demo.script import SPOKEN_RATE, TALKERS, Speech, part_of, repeated

_CHUNK_SAMPLES = SPOKEN_RATE // 10
_QUEUE_MS = 200


async def main() -> None:
    where = json.loads(await asyncio.to_thread(sys.stdin.readline))
    async with AsyncExitStack() as stack:
        sources = {who: await stack.enter_async_context(_join(where["url"], where["tokens"][who])) for who in TALKERS}
        _tell("joined")
        if await asyncio.to_thread(sys.stdin.readline) == "talk\n":
            await _talk(sources, round(where["seconds"] * SPOKEN_RATE))
            await asyncio.to_thread(sys.stdin.readline)


@asynccontextmanager
async def _join(url: str, token: str) -> AsyncIterator[rtc.AudioSource]:
    room = rtc.Room()
    await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
    source = rtc.AudioSource(SPOKEN_RATE, 1, queue_size_ms=_QUEUE_MS)
    try:
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await room.local_participant.publish_track(track, options)
        yield source
    finally:
        await room.disconnect()
        await source.aclose()


async def _talk(sources: Mapping[str, rtc.AudioSource], samples: int) -> None:
    _tell(f"talking {time.time():.3f}")
    async with asyncio.TaskGroup() as group:
        for who, source in sources.items():
            group.create_task(_send(source, part_of(who), samples), name=who)
    _tell("silent")


async def _send(source: rtc.AudioSource, part: Speech, samples: int) -> None:
    for chunk in repeated(part, samples, _CHUNK_SAMPLES):
        await source.capture_frame(rtc.AudioFrame(chunk.tobytes(), SPOKEN_RATE, 1, len(chunk)))
    await source.wait_for_playout()


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
