"""The audio tracks of a room: each is recorded from its subscription to its end."""

from worker.capture.recorder import Recorder
from worker.capture.source import Source
from worker.capture.spawn import Spawn
from worker.room.events import RemoteTrack
from worker.room.livekit.room import LiveKitRoom


class RoomTracks(Source):
    """The tracks of whatever room the run is in."""

    def __init__(self, recorder: Recorder, spawn: Spawn) -> None:
        self._recorder = recorder
        self._spawn = spawn

    def open(self, room: LiveKitRoom, track: RemoteTrack) -> None:
        """Record one track until it ends."""
        append = self._recorder.open_track(track)
        self._spawn(room.read_frames(track.sid, append), f"track-{track.sid}")

    def close(self, sid: str) -> None:
        """A track has ended."""
        self._recorder.close_track(sid)

    def dropped(self) -> None:
        """The room is lost: its tracks have ended."""
        self._recorder.close_tracks()

    def end(self, stopped_ns: int) -> None:
        """Write what the tracks' timelines hold back."""
        self._recorder.close_tracks()
