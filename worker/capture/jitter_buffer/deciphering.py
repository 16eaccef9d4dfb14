"""Which audio of an end-to-end encrypted track is true, when the worker has a key that may be wrong. Pure.

Measured with livekit 1.2.1: the SDK may let a track's first packet through before it deciphers any. That is noise, in 4
of 24 subscriptions louder than the voice, once at nearly full scale; it had faded within 120 ms of audio. An event says
when the first frame was deciphered, but on a busy machine noise was delivered up to 0.26 s after it. So a frame is
clear only when enough time has passed and enough audio has come since that event.

With a wrong key the packets are counted, nothing is decoded from them, and the jitter buffer makes up silence. No event
says so, neither at first nor when a participant takes another key in the middle. No counter tells these packets from
those that wait in the jitter buffer either; the only sign is that the buffer plays nothing.
"""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.room.room_reading import NOTHING_READ, TrackReading

_NOISE_NS = SECOND_NS // 5  # after the first deciphered frame, in time and in audio
_BRIEF_NS = SECOND_NS
_LEAST_PACKETS = 10  # 200 ms of speech; fewer say nothing
_LEAST_SAMPLES = 120  # the shortest packet of Opus has so many: 2.5 ms
_PLAYING_NS = SECOND_NS // 10  # a jitter buffer that holds something plays some of it within this time


@dataclass(slots=True)
class DecipheringWatch:
    """Follows one track; instants are of the boot-time clock, in nanoseconds.

    The key changes somewhere between two readings. What was made up because of that lies at the end of their interval,
    and at the start of the interval in which the right key is back.
    """

    _first_ns: int | None = field(init=False, default=None)  # when the first frame came
    _deciphered_ns: int | None = field(init=False, default=None)  # when the event said that a frame was deciphered
    _since_ns: int = field(init=False, default=0)  # how much audio came since that event
    _clear_ns: int | None = field(init=False, default=None)  # when the first clear frame came
    _known_ns: int = field(init=False, default=0)  # up to here readings have decided
    _last: TrackReading = field(init=False, default=NOTHING_READ)
    _failing: bool | None = field(init=False, default=None)  # what the last reading said; None: none has decided yet
    _made_up_ns: int = field(init=False, default=0)  # made up in the last interval, if packets came in it
    _doubted: tuple[int, int] | None = field(init=False, default=None)  # (emitted samples, instant) of the first doubt

    @property
    def failing(self) -> bool:
        """Whether the packets that come can't be deciphered; also before anything has said that they can."""
        return self._deciphered_ns is None if self._failing is None else self._failing

    @property
    def doubted(self) -> bool:
        """Whether the next reading may show that packets can't be deciphered any more."""
        return self._doubted is not None

    def deciphered(self, now_ns: int) -> None:
        """Note the SDK's event: a frame was deciphered."""
        if self._deciphered_ns is None:
            self._deciphered_ns = now_ns

    def is_clear(self, arrival_ns: int, samples: int) -> bool:
        """Take note of a frame that arrived; returns whether it holds what was sent, and no noise."""
        if self._first_ns is None:
            self._first_ns = self._known_ns = arrival_ns
        if self._clear_ns is None and self._deciphered_ns is not None:
            if min(self._since_ns, arrival_ns - self._deciphered_ns) > _NOISE_NS:
                self._clear_ns = arrival_ns
            self._since_ns += samples * SECOND_NS // SAMPLE_RATE
        return self._clear_ns is not None

    def is_pending(self, now_ns: int) -> bool:
        """Whether the track's first clear frame may still be on its way."""
        return self._clear_ns is None and (self._first_ns is None or now_ns - self._first_ns < _BRIEF_NS)

    def read(self, reading: TrackReading | None, now_ns: int) -> tuple[int, int] | None:
        """Take a reading; None: there was no answer.

        Returns a stretch [from, to), up to this reading or from an earlier one on, in which packets came and none was
        deciphered; None: there was none. A track that sends nothing, as when it is muted, does not count as failing.
        """
        if reading is None or self._first_ns is None or self._is_becoming_clear(now_ns):
            return None
        fails = self._fails(reading, now_ns)
        if fails is None:
            return None
        from_ns, self._known_ns = self._known_ns, max(now_ns, self._known_ns)
        last, self._last, self._doubted = self._last, reading, None
        made_up_ns = max(reading.concealed_samples - last.concealed_samples, 0) * SECOND_NS // SAMPLE_RATE
        made_up_ns = min(made_up_ns, self._known_ns - from_ns)
        before_ns, self._made_up_ns = self._made_up_ns, made_up_ns if reading.packets > last.packets else 0
        had_failed, self._failing = self._failing, fails
        start_ns = from_ns if had_failed else from_ns - before_ns
        if fails:
            end_ns = self._known_ns
        else:
            end_ns = max(from_ns + made_up_ns, self._noisy_until(from_ns)) if had_failed else from_ns
        return (start_ns, end_ns) if end_ns > from_ns else None

    def _fails(self, reading: TrackReading, now_ns: int) -> bool | None:
        """Whether none of the packets since the last deciding reading was deciphered; None: this one can't say yet.

        Packets that have come all at once after an outage are not played at once either, but the buffer begins to.
        """
        packets = reading.packets - self._last.packets
        if 0 < packets < _LEAST_PACKETS:
            return None
        if packets * _LEAST_SAMPLES <= reading.emitted_samples - self._last.emitted_samples:
            return False
        if self._failing:
            return True
        if self._doubted is None:
            self._doubted = (reading.emitted_samples, now_ns)
        emitted_samples, since_ns = self._doubted
        if reading.emitted_samples > emitted_samples:
            return False
        return True if now_ns - since_ns >= _PLAYING_NS else None

    def end(self, now_ns: int) -> tuple[int, int] | None:
        """Return the stretch since the last reading, if packets could not be deciphered then: the track ends."""
        if self._first_ns is None or not self.failing or now_ns <= self._known_ns:
            return None
        return self._known_ns, now_ns

    def _is_becoming_clear(self, now_ns: int) -> bool:
        if self._deciphered_ns is None or self._clear_ns is not None:
            return False
        return now_ns - self._deciphered_ns < _BRIEF_NS

    def _noisy_until(self, from_ns: int) -> int:
        """Until when noise keeps audio from being recorded, if the first deciphered frame came after `from_ns`."""
        if self._deciphered_ns is None or self._deciphered_ns < from_ns:
            return from_ns
        return self._clear_ns or self._deciphered_ns + _NOISE_NS
