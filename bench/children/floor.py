"""The SDK's floor: one bare process that joins rooms, subscribes their audio, decodes it and drops it."""

import asyncio
from dataclasses import dataclass, field

import uvloop
from livekit import rtc

from bench.children.line_answers import answer, next_request


@dataclass(slots=True)
class Floor:
    """What was received: samples by track sid."""

    sample_rate: int
    frame_ms: int
    group: asyncio.TaskGroup
    samples: dict[str, int] = field(default_factory=dict)
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def join(self, url: str, token: str) -> rtc.Room:
        """Join a room; audio is subscribed as it is published."""
        room = rtc.Room()

        def published(publication: rtc.RemoteTrackPublication, _participant: rtc.RemoteParticipant) -> None:
            if publication.kind == rtc.TrackKind.KIND_AUDIO:
                publication.set_subscribed(True)

        def subscribed(track: rtc.Track, _publication: object, _participant: object) -> None:
            self.readers.append(self.group.create_task(self._read(track), name=f"read {track.sid}"))

        room.on("track_published", published)
        room.on("track_subscribed", subscribed)
        await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
        for participant in room.remote_participants.values():
            for publication in participant.track_publications.values():
                published(publication, participant)
        return room

    async def _read(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=self.sample_rate, num_channels=1, frame_size_ms=self.frame_ms)
        try:
            async for event in stream:
                self.samples[track.sid] = self.samples.get(track.sid, 0) + event.frame.samples_per_channel
        finally:
            await stream.aclose()


async def main() -> None:
    answer("ready")
    where = await next_request()
    async with asyncio.TaskGroup() as group:
        floor = Floor(where["sample_rate"], where["frame_ms"], group)
        rooms = [await floor.join(where["url"], token) for token in where["tokens"]]
        answer("joined")
        while await next_request() is not None:
            answer({"tracks": len(floor.samples), "samples": sum(floor.samples.values())})
        for room in rooms:
            await room.disconnect()
        for reader in floor.readers:
            reader.cancel()


if __name__ == "__main__":
    uvloop.run(main())
