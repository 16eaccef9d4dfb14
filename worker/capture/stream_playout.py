"""The player of a session whose audio comes in byte streams: what it plays is recorded, when it plays it.

To senders it behaves as an avatar does, which plays their speech into the room; this one makes no sound.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from audio.pcm import SAMPLE_RATE
from audio.placing.pcm_decoder import PcmDecoder, PcmFormat
from audio.placing.playout import Finished, Overflown, Playout, PlayoutBudget, PlayoutEvent, Started
from audio.placing.timeline import Placed
from store.database.boot_clock import SECOND_NS, boottime_ns
from store.set_within import set_within
from worker.capture.playback_notices import PlaybackNotices
from worker.capture.recorder import Recorder
from worker.capture.source import Source
from worker.capture.spawn import Spawn
from worker.clock.session_clock import SessionClock
from worker.room.livekit.room import LiveKitRoom
from worker.room.livekit.streams import LiveKitStreams
from worker.room.stream_events import (
    PcmArrived,
    PcmEnded,
    PcmOpened,
    PlaybackFinished,
    PlaybackStarted,
    PlayoutCleared,
    StreamEvent,
)

_log = structlog.get_logger(__name__)

_WRITE_SECONDS = 0.1  # how soon after its playing a sample is in the spool
_LEAST_PAUSE_SECONDS = 0.001
_MOST_SEGMENTS = 64  # open or waiting, per session
_FAREWELL_SECONDS = 1.0


@dataclass(slots=True)
class _Sender:
    identity: str
    track: int
    playout: Playout
    streams: dict[int, PcmOpened] = field(default_factory=dict)  # of segments that are not finished


class StreamPlayout(Source):
    """Plays one run's streams, sender by sender. Nothing in it waits but `run` and `leave`.

    Each segment is answered by exactly one `PlaybackFinished`, whatever becomes of it: its sender waits for that.

    Args:
        resumed: an earlier run may not have given that answer.
    """

    def __init__(
        self, clock: SessionClock, recorder: Recorder, spawn: Spawn, *, buffer_seconds: float, resumed: bool
    ) -> None:
        self._clock = clock
        self._recorder = recorder
        self._spawn = spawn
        self._budget = PlayoutBudget(round(buffer_seconds * SAMPLE_RATE))
        self._resumed = resumed
        self._notices = PlaybackNotices(spawn)
        self._streams: LiveKitStreams | None = None
        self._senders: dict[str, _Sender] = {}
        self._decoders: dict[int, tuple[_Sender, PcmDecoder]] = {}  # of streams that are still received
        self._overflown: set[str] = set()
        self._wake = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether a stream is being received or played."""
        return any(sender.playout.segments for sender in self._senders.values())

    def entered(self, room: LiveKitRoom) -> None:
        """The worker is in `room` (again). Agents there that may still wait for a lost run's answer get one."""
        streams = self._streams = room.streams
        if streams is None:
            return
        streams.notify_of_events(self._wake.set)
        if self._resumed:
            for identity in streams.agents():
                if not self._notices.waiting_for(identity):
                    self._notices.put(identity, PlaybackFinished(0.0, interrupted=True))
        self._resumed = True
        self._notices.entered(streams)
        self._wake.set()

    def dropped(self) -> None:
        """The room is lost; what was not played yet never will be."""
        self._stop(boottime_ns())
        self._streams = None
        self._notices.dropped()

    def end(self, stopped_ns: int) -> None:
        """Play up to now, which may be after `stopped_ns`, as the session's end may be."""
        self._stop(boottime_ns())

    def _stop(self, now_ns: int) -> None:
        """Play up to now, and drop the rest of what has been sent so far."""
        self._step(now_ns)
        for sender in self._senders.values():
            sender.playout.clear(self._clock.sample_at(now_ns))
        self._step(now_ns)

    async def leave(self, now_ns: int) -> None:
        """Stop, and tell the senders how far it came while the room still carries it; bounded."""
        self._stop(now_ns)
        await self._notices.sent(_FAREWELL_SECONDS)

    async def run(self) -> None:
        """Play until canceled."""
        while True:
            self._wake.clear()
            now_ns = boottime_ns()
            self._step(now_ns)
            await set_within(self._wake, self._pause_seconds(now_ns))

    def _step(self, now_ns: int) -> None:
        """Take in what has happened, in its order, and play up to now."""
        for event in self._streams.drain() if self._streams is not None else ():
            self._take(event)
        now_sample = self._clock.sample_at(now_ns)
        for sender in self._senders.values():
            for played in sender.playout.advance(now_sample):
                self._tell(sender, played)

    def _pause_seconds(self, now_ns: int) -> float | None:
        ends = [sender.playout.next_sample for sender in self._senders.values()]
        waits = [(self._clock.boottime_of(end) - now_ns) / SECOND_NS for end in ends if end is not None]
        return max(min(*waits, _WRITE_SECONDS), _LEAST_PAUSE_SECONDS) if waits else None

    def _take(self, event: StreamEvent) -> None:
        match event:
            case PcmOpened():
                self._open(event)
            case PcmArrived(number=number, at_ns=at_ns, data=data):
                if number in self._decoders:
                    sender, decoder = self._decoders[number]
                    sender.playout.push(number, decoder.decode(data), self._clock.sample_at(at_ns))
            case PcmEnded(number=number, at_ns=at_ns):
                if number in self._decoders:
                    sender, decoder = self._decoders.pop(number)
                    at_sample = self._clock.sample_at(at_ns)
                    sender.playout.push(number, decoder.flush(), at_sample)
                    sender.playout.end(number, at_sample)
            case PlayoutCleared(identity=identity, at_ns=at_ns):
                if identity in self._senders:
                    self._senders[identity].playout.clear(self._clock.sample_at(at_ns))

    def _open(self, opened: PcmOpened) -> None:
        if sum(sender.playout.segments for sender in self._senders.values()) >= _MOST_SEGMENTS:
            self._refuse(opened, "too many segments")
            return
        try:
            pcm_format = PcmFormat.from_attributes(opened.attributes)
        except ValueError as error:
            self._refuse(opened, str(error))
            return
        sender = self._senders.get(opened.identity)
        if sender is None:
            track = self._recorder.open_player(opened.identity)
            sender = self._senders[opened.identity] = _Sender(opened.identity, track, Playout(self._budget))
        sender.streams[opened.number] = opened
        sender.playout.open(opened.number)
        self._decoders[opened.number] = (sender, PcmDecoder(pcm_format))
        self._spawn(opened.read(), f"stream-{opened.number}")

    def _refuse(self, opened: PcmOpened, reason: str) -> None:
        _log.warning("pcm_stream.refused", reason=reason)
        opened.close()
        self._notices.put(opened.identity, PlaybackFinished(0.0, interrupted=True))

    def _tell(self, sender: _Sender, event: PlayoutEvent) -> None:
        match event:
            case Placed():
                self._recorder.play(sender.track, event)
            case Overflown(start_sample=start_sample, end_sample=end_sample):
                self._recorder.gap("gap.overflow", start_sample, end_sample)
                if sender.identity not in self._overflown:
                    self._overflown.add(sender.identity)
                    _log.warning("pcm_stream.overflown", at_sample=start_sample)
            case Started():
                self._notices.put(sender.identity, PlaybackStarted())
            case Finished(segment=number, played_samples=played, interrupted=interrupted):
                opened = sender.streams.pop(number)
                if interrupted:
                    self._decoders.pop(number, None)
                    opened.close()
                self._notices.put(sender.identity, PlaybackFinished(played / SAMPLE_RATE, interrupted))
