"""Who else is in the room, as far as a recording depends on it. Pure: instants in boot-time nanoseconds come in."""

from dataclasses import dataclass, field

from store.database.boot_clock import SECOND_NS
from worker.room.events import AudioPublished, AudioUnpublished, ParticipantJoined, ParticipantLeft, RoomEvent


@dataclass(slots=True)
class RoomPresence:
    """Tells when a room is idle: no remote participant has an audio track (muted or not), and no stream of PCM is
    received or played.

    The clock of idleness stands still while the worker is out of the room and while it is held. `somebody_came` never
    becomes False again.
    """

    idle_timeout_seconds: float
    somebody_came: bool = False
    _audio: set[str] = field(default_factory=set)
    _idle_ns: int = 0  # collected before `_idle_since_ns`
    _idle_since_ns: int | None = None
    _in_room: bool = False
    _held: bool = False
    _streaming: bool = False

    def entered(self, now_ns: int) -> None:
        """The worker is in the room; nobody else is known yet."""
        self._audio.clear()
        self._in_room = True
        self._run_clock(now_ns)

    def dropped(self, now_ns: int) -> None:
        """The worker is out of the room."""
        self._in_room = False
        self._run_clock(now_ns)

    def hold(self, held: bool, now_ns: int) -> None:
        """Hold the clock of idleness while the session is paused; may be called as often as you like."""
        if held != self._held:
            self._held = held
            self._run_clock(now_ns)

    def stream(self, streaming: bool, now_ns: int) -> None:
        """Say whether a stream of PCM is being received or played; may be called as often as you like."""
        if streaming == self._streaming:
            return
        self._streaming = streaming
        if streaming:
            self.somebody_came = True
            self._idle_ns, self._idle_since_ns = 0, None
        self._run_clock(now_ns)

    def take(self, event: RoomEvent, now_ns: int) -> None:
        """Take note of what happened in the room."""
        match event:
            case ParticipantJoined():
                self.somebody_came = True
            case AudioPublished(sid=sid):
                self.somebody_came = True
                self._audio.add(sid)
                self._idle_ns, self._idle_since_ns = 0, None
            case AudioUnpublished(sid=sid):
                self._audio.discard(sid)
                self._run_clock(now_ns)
            case ParticipantLeft() | _:
                pass

    def idle_deadline_ns(self) -> int | None:
        """When the room will have been idle for too long (boot-time clock); None while it is not idle."""
        if self._idle_since_ns is None:
            return None
        return self._idle_since_ns - self._idle_ns + round(self.idle_timeout_seconds * SECOND_NS)

    def _run_clock(self, now_ns: int) -> None:
        """Start or stop the clock, as things are; the time that it has collected stays."""
        idle = self._in_room and not self._held and not self._audio and not self._streaming
        if idle and self._idle_since_ns is None:
            self._idle_since_ns = now_ns
        elif not idle and self._idle_since_ns is not None:
            self._idle_ns += now_ns - self._idle_since_ns
            self._idle_since_ns = None
