"""What happens in the room, and what it means for the recording and for the session."""

import structlog

from sessions.lifecycle.stop import Stop
from worker.capture.spawn import Spawn
from worker.joining.token_keeper import TokenKeeper
from worker.lease.live_run import LiveRun
from worker.room.events import AudioSubscribed, AudioUnsubscribed, Disconnected, RoomEvent, TextOpened, TokenRefreshed
from worker.room.livekit_room import LiveKitRoom
from worker.room.presence import RoomPresence
from worker.room.reconnect_hole import ReconnectHole
from worker.run.disconnects import Drop, meaning
from worker.run.recording import RunRecording
from worker.run.room_seat import RoomSeat
from worker.run.run_stop import RunStop

_log = structlog.get_logger(__name__)


class RoomWatch:
    """Looks at a room that is being recorded."""

    def __init__(self, run: LiveRun, seat: RoomSeat, presence: RoomPresence, token: TokenKeeper, spawn: Spawn) -> None:
        self._run = run
        self._seat = seat
        self._presence = presence
        self._token = token
        self._spawn = spawn
        self._hole = ReconnectHole()

    def begin(self, room: LiveKitRoom, recording: RunRecording, now_ns: int) -> None:
        """The worker is in `room` (again), and `recording` records it."""
        if self._seat.dropped_ns is not None:
            recording.gap("gap.rejoin", self._seat.dropped_ns, now_ns)
        self._seat.seated()
        self._presence.entered(now_ns)
        recording.entered(room)
        room.listen()

    async def look(self, room: LiveKitRoom, recording: RunRecording, now_ns: int) -> RunStop | None:
        """Take in everything that has happened in the room; a stop if it ends the recording."""
        for event in room.events.drain():
            self._presence.take(event, now_ns)
            _name(recording, self._hole.take(event, now_ns))
            stop = await self._handle(room, recording, event, now_ns)
            if stop is not None or self._seat.room is not room:
                return stop
        _name(recording, self._hole.expired(now_ns))
        if self._run.fenced and (self._hole.reconnecting_ns is not None or not room.connected):
            # Left alone, the SDK would reconnect by itself and evict a healthy successor (tried).
            await self._drop(recording, now_ns)
            self._seat.rejoin(now_ns)
            return None
        recording.follow(room, self._presence, now_ns)
        return None

    async def _handle(
        self, room: LiveKitRoom, recording: RunRecording, event: RoomEvent, now_ns: int
    ) -> RunStop | None:
        match event:
            case AudioSubscribed(track=track):
                recording.open_track(room, track)
            case AudioUnsubscribed(sid=sid):
                recording.close_track(sid)
            case TextOpened():
                recording.hear(event)
            case TokenRefreshed(token=token):
                expires_at = self._token.refresh(token, recording.clock.time_of(now_ns))
                if expires_at is not None:
                    self._spawn(self._token.save(token, expires_at), "save-token")
            case Disconnected(reason=reason):
                return await self._disconnected(recording, reason, now_ns)
        return None

    async def _disconnected(self, recording: RunRecording, reason: str, now_ns: int) -> RunStop | None:
        _log.info("room.lost", reason=reason)
        match meaning(reason):
            case Drop.CLOSED:
                return RunStop.found(Stop.ended("end.room_closed"))
            case Drop.REMOVED:
                return RunStop.found(Stop.ended("end.removed"))
            case Drop.REFUSED:
                return RunStop.found(Stop.failed("room.join_failure", "the LiveKit server did not let the worker join"))
            case Drop.DUPLICATE:
                await self._drop(recording, now_ns)
                self._seat.evicted(now_ns)
            case Drop.ASKED | Drop.WEATHER:
                await self._drop(recording, now_ns)
                self._seat.rejoin(now_ns)
        return None

    async def _drop(self, recording: RunRecording, now_ns: int) -> None:
        """The room is lost; the recording goes on, with a gap."""
        _name(recording, self._hole.close(now_ns))
        self._hole = ReconnectHole()
        self._presence.dropped(now_ns)
        await self._seat.lose(now_ns)
        recording.dropped()


def _name(recording: RunRecording, hole: tuple[int, int] | None) -> None:
    if hole is not None:
        recording.gap("gap.rejoin", *hole)
