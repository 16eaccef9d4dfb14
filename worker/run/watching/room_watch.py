"""What happens in the room, and what it means for the recording and for the session."""

import asyncio
from collections.abc import Iterable

import structlog

from sessions.lifecycle.stop import Stop
from store.database.boot_clock import SECOND_NS, boottime_ns
from worker.capture.spawn import Spawn
from worker.joining.token_keeper import TokenKeeper
from worker.lease.live_run import LiveRun
from worker.room.empty_room import EmptyRoom
from worker.room.events import (
    AudioDeciphered,
    AudioMuted,
    AudioSubscribed,
    AudioUnsubscribed,
    Disconnected,
    Reconnected,
    Reconnecting,
    RoomEvent,
    TextOpened,
    TokenRefreshed,
)
from worker.room.livekit.room import LiveKitRoom
from worker.room.missing.heard_track import MadeUp, Missing
from worker.room.missing.room_hole import RoomHole
from worker.room.missing.unheard_tracks import UnheardTracks
from worker.room.presence import RoomPresence
from worker.room.room_reading import RoomReading
from worker.run.recording import RunRecording
from worker.run.room_seat import RoomSeat
from worker.run.stopping.run_stop import RunStop
from worker.run.watching.disconnects import Drop, meaning, told_by_server
from worker.run.watching.room_readings import RoomReadings

_log = structlog.get_logger(__name__)

_LAST_READING_SECONDS = 0.5


class RoomWatch:
    """Looks at a room that is being recorded, and names what the recording misses because of it.

    Args:
        unproven_seconds: how long nothing may prove the connection before the room is left and joined again.
    """

    def __init__(
        self,
        run: LiveRun,
        seat: RoomSeat,
        presence: RoomPresence,
        token: TokenKeeper,
        spawn: Spawn,
        *,
        unproven_seconds: float,
    ) -> None:
        self._run = run
        self._seat = seat
        self._presence = presence
        self._token = token
        self._spawn = spawn
        self._hole = RoomHole(round(unproven_seconds * SECOND_NS))
        self._unheard = UnheardTracks()
        self._empty = EmptyRoom()
        self._recording: RunRecording | None = None
        self._readings = RoomReadings(self._read)

    def begin(self, room: LiveKitRoom, recording: RunRecording, joined_ns: int, now_ns: int) -> None:
        """The worker is in `room` (again) since `joined_ns`, and `recording` records it."""
        takes_over = recording.resumed and self._recording is None
        self._recording = recording
        join_ns = round(room.join_seconds * SECOND_NS)
        self._unheard.entered(recording.clock.boottime_of(0), takes_over=takes_over, join_ns=join_ns)
        self._empty.entered(joined_ns)
        self._hole.entered(now_ns)
        self._seat.seated()
        self._presence.entered(now_ns)
        recording.entered(room)
        room.listen()
        self._spawn(self._readings.follow(room, lambda: self._seat.room is room), "room-readings")

    def hurry(self, seconds: float) -> None:
        """Take a reading of the room within so many seconds."""
        self._readings.hurry(seconds)

    async def look(self, room: LiveKitRoom, recording: RunRecording, now_ns: int) -> RunStop | None:
        """Take in everything that has happened in the room; a stop if it ends the recording."""
        for event in room.events.drain():
            self._presence.take(event, now_ns)
            self._hole.take(event, now_ns)
            self._unheard.take(event, now_ns)
            recording.take(event, now_ns)
            stop = await self._handle(room, recording, event, now_ns)
            if stop is not None or self._seat.room is not room:
                return stop
        if self._hole.hopeless or (self._run.fenced and (self._hole.reconnecting or not room.connected)):
            # Left alone, the SDK may restart for ever, or reconnect by itself and evict a healthy successor (tried).
            _log.info("room.unproven", fenced=self._run.fenced, reconnecting=self._hole.reconnecting)
            await self._drop(recording, now_ns, told=False)
            self._seat.rejoin(now_ns)
            return None
        recording.follow(room, self._presence, now_ns)
        return None

    def name(self, recording: RunRecording, now_ns: int) -> None:
        """Note what is known to be missing by now, and that nobody is there; called often, in a room or not."""
        tracks = recording.heard
        _note(recording, self._hole.look(now_ns, tracks))
        if not self._hole.open:
            _note(recording, self._unheard.look(self._hole.proven_ns, tracks, self._hole.closed_ns))
        self._look_for_somebody(recording, now_ns)

    async def end(self, recording: RunRecording) -> None:
        """The run ends, for whatever reason: close and name what is open."""
        room = self._seat.room
        if room is not None:
            try:
                async with asyncio.timeout(_LAST_READING_SECONDS):
                    await self._readings.take(room, lambda: self._seat.room is room)
            except TimeoutError:
                pass
        now_ns, tracks = boottime_ns(), recording.heard
        self._conceal(recording.give_up(now_ns))
        if not self._hole.open and room is not None:
            _note(recording, self._unheard.close(now_ns, tracks, self._hole.closed_ns))
        _note(recording, self._hole.close(now_ns, tracks))
        self._look_for_somebody(recording, now_ns)
        _note_absences(recording, self._empty.close(now_ns))

    def _look_for_somebody(self, recording: RunRecording, now_ns: int) -> None:
        room = self._seat.room
        if room is None or self._hole.reconnecting:
            _note_absences(recording, self._empty.look(now_ns, None))
        elif room.connected:  # else an event that says more is about to be handled
            _note_absences(recording, self._empty.look(now_ns, room.deserted))

    def _read(self, reading: RoomReading | None, asked_ns: int) -> None:
        self._hole.read(None if reading is None else reading.connection, asked_ns)
        if reading is not None and self._recording is not None:
            self._conceal(self._recording.read(reading, asked_ns))
        if self._hole.hopeless:
            self._run.wake()

    def _conceal(self, made_up: Iterable[MadeUp]) -> None:
        for one in made_up:
            for part in self._unheard.unforbidden(one):
                self._hole.made_up(part)

    async def _handle(
        self, room: LiveKitRoom, recording: RunRecording, event: RoomEvent, now_ns: int
    ) -> RunStop | None:
        match event:
            case AudioSubscribed(track=track):
                recording.open_track(room, track)
            case AudioUnsubscribed(sid=sid):
                recording.close_track(sid)
            case AudioDeciphered(identity=identity):
                recording.deciphered(identity, now_ns)
            case AudioMuted(sid=sid, muted=muted):
                recording.mute_track(sid, muted, now_ns)
                self._readings.hurry()
            case Reconnecting():
                self._unheard.forget()
                self._readings.hurry()  # the last packet's time is still to be had
            case Reconnected():
                recording.regained(room, now_ns)
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
                await self._drop(recording, now_ns, told=told_by_server(reason))
                self._seat.evicted(now_ns)
            case Drop.ASKED | Drop.WEATHER:
                await self._drop(recording, now_ns, told=told_by_server(reason))
                self._seat.rejoin(now_ns)
        return None

    async def _drop(self, recording: RunRecording, now_ns: int, *, told: bool) -> None:
        """The room is lost; the recording goes on, with a gap."""
        self._hole.dropped(now_ns, told=told)
        self._unheard.forget()
        self._presence.dropped(now_ns)
        await self._seat.lose(now_ns)
        recording.dropped()


def _note(recording: RunRecording, missing: Iterable[Missing]) -> None:
    for one in missing:
        recording.missing(one)


def _note_absences(recording: RunRecording, absences: Iterable[tuple[int, int]]) -> None:
    for from_ns, to_ns in absences:
        recording.absence(from_ns, to_ns)
