"""The audio tracks of a room: each is recorded from its subscription to its end, and watched for made-up audio."""

import asyncio

from store.database.boot_clock import boottime_ns
from worker.capture.recorder import Recorder
from worker.capture.source import Source
from worker.capture.spawn import Spawn
from worker.room.events import RemoteTrack
from worker.room.livekit_room import LiveKitRoom

_STATS_SECONDS = 5.0


class RoomTracks(Source):
    """The tracks of whatever room the run is in."""

    def __init__(self, recorder: Recorder, spawn: Spawn) -> None:
        self._recorder = recorder
        self._spawn = spawn
        self._room: LiveKitRoom | None = None

    async def run(self) -> None:
        """Every five seconds, ask how much the jitter buffer has made up."""
        while True:
            await asyncio.sleep(_STATS_SECONDS)
            room = self._room
            if room is None:
                continue
            for sid in self._recorder.track_sids:
                self._recorder.concealed(sid, await room.concealed_samples(sid), boottime_ns())

    def entered(self, room: LiveKitRoom) -> None:
        """The worker is in `room`; its tracks are opened as they are subscribed."""
        self._room = room

    def open(self, room: LiveKitRoom, track: RemoteTrack) -> None:
        """Record one track until it ends."""
        append = self._recorder.open_track(track)
        self._spawn(room.read_frames(track.sid, append), f"track-{track.sid}")

    def close(self, sid: str) -> None:
        """A track has ended."""
        self._recorder.close_track(sid)

    def dropped(self) -> None:
        """The room is lost: its tracks have ended."""
        self._room = None
        self._recorder.close_tracks()

    def end(self, stopped_ns: int) -> None:
        """Write what the tracks' timelines hold back."""
        self._recorder.close_tracks()
