"""One remote track, from its subscription to its end: frames and readings go in, placed frames come out.

A frame's place is its arrival less the delay of the jitter buffer. Readings of the receiver tell the delay, and come
now and then. So a frame whose delay may have changed waits for the next reading: the first frame after silence that was
made up, and the frames after a standstill.

The first frames of a talker who was heard until right before wait for three readings. On a busy machine packets have
waited in the socket when the first frame is played, and the first reading knows nothing of that: frames were placed
0.28 s late, where a gap said that nothing is heard (measured right after takeovers, with two recorders on one core).
The third reading, 0.4 s later, was wrong by 0.04 s at most. Of somebody new it does not matter: they do not wait.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from audio.pcm import SAMPLE_RATE, Pcm
from audio.placing.delay_correction import DelayCorrection
from audio.placing.timeline import Placed, TrackTimeline
from audio.ranges import Range
from store.database.boot_clock import SECOND_NS
from worker.capture.jitter_buffer.buffer_delay import BufferDelay
from worker.capture.jitter_buffer.deciphering import DecipheringWatch
from worker.capture.jitter_buffer.made_up_audio import MadeUpAudio
from worker.capture.jitter_buffer.played_afterwards import ReadAt
from worker.capture.jitter_buffer.track_standstill import TrackStandstill
from worker.clock.session_clock import SessionClock
from worker.room.missing.heard_track import HeardTrack
from worker.room.room_reading import TrackReading

_AT_REST_SAMPLES = SAMPLE_RATE // 25  # the delay that every track has
_LONGEST_WAIT_NS = 3 * SECOND_NS // 2  # a frame waits for a reading no longer
_LEAST_SAMPLES = SAMPLE_RATE // 5  # a shorter stretch that could not be deciphered, or was not played, is not named
_SETTLING_NS = 3 * SECOND_NS  # so long after its first frame a new jitter buffer is as deep as the one before
_BEGINNING_READINGS = 3  # so many tell the delay of a new jitter buffer
_OFF_SAMPLES = 3 * SAMPLE_RATE // 50  # a delay wanders so far from that at rest by itself
_MOST_READINGS = 8  # readings that are remembered; those after a standstill may come before its frames


class _Frame(NamedTuple):
    arrival_ns: int
    pcm: Pcm
    overdue: bool  # due in a standstill


class TrackNews(NamedTuple):
    """What was decided about a track: placed frames, what its jitter buffer made up, what could not be deciphered.

    Stretches are samples of the session's clock; those of `made_up` and `undeciphered` do not overlap.
    """

    placed: list[Placed]
    made_up: list[Range]
    undeciphered: Range | None


@dataclass(slots=True)
class RoomTrack:
    """Instants are of the boot-time clock in nanoseconds, positions are samples of the session's clock.

    Args:
        hurry: asks for a reading now.
        goes_on: another jitter buffer may have heard the talker until right before this one: that of another run, of a
            room that was lost, or of an earlier subscription.
        deciphering: None for a track that is not encrypted.
    """

    number: int
    sid: str
    identity: str
    clock: SessionClock
    hurry: Callable[[], None]
    goes_on: bool = False
    deciphering: DecipheringWatch | None = None
    closed: bool = field(init=False, default=False)
    _timeline: TrackTimeline = field(init=False, default_factory=TrackTimeline)
    _delay: BufferDelay = field(init=False)
    _correction: DelayCorrection = field(init=False, default_factory=DelayCorrection)
    _arrivals_ns: tuple[int, int] | None = field(init=False, default=None)  # of the first frame and the last one
    _pushed_ns: int | None = field(init=False, default=None)  # the last frame that was clear
    _first_samples: int = field(init=False, default=0)  # of the first frame that was clear
    _silent: bool = field(init=False, default=False)  # the last frame was nothing but zeros
    _waiting: list[_Frame] = field(init=False, default_factory=list)  # frames that wait for a reading
    _standstill: TrackStandstill = field(init=False, default_factory=TrackStandstill)
    _readings: deque[ReadAt | None] = field(init=False, default_factory=lambda: deque(maxlen=_MOST_READINGS))
    _packets_ns: int | None = field(init=False, default=None)  # until when packets came, by readings
    _made_up: MadeUpAudio = field(init=False, default_factory=MadeUpAudio)
    _settling: bool = field(init=False, default=False)  # its jitter buffer is new
    _beginning: int = field(init=False, default=0)  # its first frames wait for so many readings
    _locked_since: int | None = field(init=False, default=None)  # since when nothing can be deciphered

    def __post_init__(self) -> None:
        self._beginning = _BEGINNING_READINGS if self.goes_on else 0
        self._delay = BufferDelay(all_playable=self.deciphering is None)

    @property
    def heard(self) -> HeardTrack | None:
        """What its frames tell; None before the first one."""
        if self._arrivals_ns is None or self._is_pending(self._arrivals_ns[1]):
            return None
        first_ns, last_ns = self._arrivals_ns
        since_ns = first_ns - self._first_samples * SECOND_NS // SAMPLE_RATE
        return HeardTrack(self.sid, self.identity, since_ns, last_ns, self._packets_ns)

    def is_clear(self, arrival_ns: int, samples: int) -> bool:
        """Take note of a frame that arrives; returns whether it holds what was sent, and no noise."""
        if self._arrivals_ns is None or self._is_pending(arrival_ns):
            self._arrivals_ns = (arrival_ns, arrival_ns)
        else:
            self._arrivals_ns = (self._arrivals_ns[0], arrival_ns)
        return self.deciphering is None or self.deciphering.is_clear(arrival_ns, samples)

    def _is_pending(self, now_ns: int) -> bool:
        """Whether it is encrypted, and its first frame that is clear may still be on its way."""
        return self.deciphering is not None and self.deciphering.is_pending(now_ns)

    def push(self, arrival_ns: int, pcm: Pcm) -> list[Placed]:
        """Take a clear frame of shape (n,); returns the frames that are placed now."""
        if self._pushed_ns is None:
            self._first_samples = len(pcm)
            if self.goes_on:
                self.hurry()
        last_ns, self._pushed_ns = self._pushed_ns or arrival_ns, arrival_ns
        was_silent, self._silent = self._silent, not pcm.any()
        stood_still, overdue = self._standstill.take(arrival_ns, len(pcm), last_ns, self._read_before(last_ns))
        if stood_still:
            self._delay.stood_still(arrival_ns)
        if stood_still and not self._standstill.judging:
            self._made_up.stood_still(self.clock.sample_at(last_ns) - self._correction.delay_samples)
        if self._standstill.distrusted:
            return []
        frame = _Frame(arrival_ns, pcm, overdue)
        known = self._delay.at(arrival_ns) is not None
        begins_anew = known and (stood_still or (was_silent and not self._silent))
        if not self._waiting and (begins_anew or self._standstill.judging):
            self.hurry()
        elif not self._waiting and not self._delay.unsure and not self._beginning:
            return self._place(frame)
        self._waiting.append(frame)
        return []

    @property
    def changing(self) -> bool:
        """Whether its delay is changing, or the next reading may show that packets can't be deciphered any more."""
        doubted = self.deciphering is not None and self.deciphering.doubted
        unsettled = self._standstill.judging or self._standstill.distrusted
        return self._delay.changing or self._settling or doubted or unsettled

    def read(self, reading: TrackReading | None, asked_ns: int) -> TrackNews:
        """Take a reading that was asked for at `asked_ns`; returns what is decided now."""
        now = None if reading is None else ReadAt(reading, asked_ns)
        last = self._readings[-1] if self._readings else None
        self._readings.append(now)
        if now is not None and last is not None and now.reading.packets > last.reading.packets:
            came_ns = self._delay.packets.received_samples(last.reading, now.reading) * SECOND_NS // SAMPLE_RATE
            self._packets_ns = min(last.at_ns + came_ns, asked_ns)
        undeciphered = self._decipher(reading, asked_ns)
        self._delay.read(reading, asked_ns)
        placed = self._get_over_standstill(now)
        if now is not None and self._beginning and self._waiting and asked_ns >= self._waiting[0].arrival_ns:
            self._begin(asked_ns)
        unsure = self._delay.unsure or self._standstill.judging
        is_due = bool(self._waiting) and asked_ns >= self._waiting[0].arrival_ns
        decides = reading is not None and is_due and not unsure and not self._beginning
        if reading is not None and decides:
            self._standstill.settle(reading)
        made_up = self._made_up.read(
            reading,
            self.clock.sample_at(asked_ns),
            self._delay,
            excess=self._excess(asked_ns) or 0,
            late=self._correction.delay_samples,
            settles_since=self._settles_since(asked_ns),
            dropped=self._standstill.dropped_samples,
            unsure=unsure or not self._standstill.is_over(asked_ns),
        )
        if self._locked_since is not None:
            made_up = _before(self._locked_since, made_up + self._made_up.take())
        if self.deciphering is not None and not self.deciphering.failing:
            self._locked_since = None
        if decides:
            placed += self._release()
        missed = self._missed()
        return TrackNews(placed, missed if self._standstill.distrusted else made_up + missed, undeciphered)

    def _read_before(self, frame_ns: int) -> ReadAt | None:
        """The last reading that was asked for before this frame came; None: it was not answered, or is forgotten."""
        before = [one for one in self._readings if one is None or one.at_ns <= frame_ns]
        return before[-1] if before else None

    def _get_over_standstill(self, now: ReadAt | None) -> list[Placed]:
        """Take a reading after a long one, behind which what comes may be from whenever."""
        if now is None:
            return []
        is_live = self._standstill.read(now, self._delay)
        if self._standstill.distrusted:
            return self._release()
        if not is_live:
            return []
        self._delay.forget_backlog()
        self._correction.restart(self._excess(now.at_ns) or 0)
        return self._timeline.restart()

    def _begin(self, asked_ns: int) -> None:
        """Take one of the readings that tell where the first frames lie."""
        self._beginning -= 1
        excess = self._excess(asked_ns) or 0
        if not self._beginning and abs(excess) > _OFF_SAMPLES:
            self._correction.restart(excess)

    def _missed(self) -> list[Range]:
        """What a long standstill cost, if that is not told yet."""
        stretch_ns = self._standstill.take_missed()
        return [] if stretch_ns is None else [self._samples(stretch_ns)]

    def _decipher(self, reading: TrackReading | None, asked_ns: int) -> Range | None:
        """What could not be deciphered. Its packets do not wait in the jitter buffer, though they came."""
        if self.deciphering is None:
            return None
        had_failed, stretch_ns = self.deciphering.failing, self.deciphering.read(reading, asked_ns)
        if had_failed or self.deciphering.failing:
            self._delay.forget_backlog()
        if stretch_ns is None:
            return None
        undeciphered = self._samples(stretch_ns)
        if self._locked_since is None:
            self._locked_since = undeciphered[0]
        return undeciphered

    def mute(self, muted: bool, now_ns: int) -> None:
        """The track was muted, or unmuted."""
        self._made_up.mute(muted, self.clock.sample_at(now_ns))

    def tick(self, now_ns: int) -> list[Placed]:
        """What time alone decides."""
        placed: list[Placed] = []
        if self._waiting and now_ns - self._waiting[0].arrival_ns > _LONGEST_WAIT_NS:
            self._standstill.give_up_judging()
            placed += self._release()
        return placed + self._timeline.hold_expired(self.clock.sample_at(now_ns))

    def close(self) -> TrackNews:
        """The track has ended: everything that was held back."""
        self.closed = True
        self._standstill.give_up_judging()
        placed = self._release() + self._timeline.flush()
        if self._arrivals_ns is None:
            return TrackNews(placed, self._made_up.take(), None)
        last_ns = self._arrivals_ns[1]
        self._standstill.end(last_ns)
        stretch_ns = None if self.deciphering is None else self.deciphering.end(last_ns)
        undeciphered = None if stretch_ns is None else self._samples(stretch_ns)
        return TrackNews(placed, self._made_up.take() + self._unplayed(last_ns) + self._missed(), undeciphered)

    def missed(self, from_ns: int, to_ns: int) -> tuple[int, int] | None:
        """What it has no true audio of, after a standstill of the process between these instants; None: not known yet.

        It has delivered something.
        """
        assert self._arrivals_ns is not None
        if self._waiting or self._standstill.resuming or self._arrivals_ns[1] < to_ns:
            return None
        return self._standstill.missed(from_ns, to_ns)

    def _release(self) -> list[Placed]:
        """Place what waited for a reading, which has come, or does not come."""
        waiting, self._waiting = self._waiting, []
        self._beginning = 0
        if self._standstill.distrusted:
            return self._timeline.flush()
        return [placed for frame in waiting for placed in self._place(frame)]

    def _place(self, frame: _Frame) -> list[Placed]:
        if frame.overdue:
            left_out = self._standstill.leaves_out
            return self._timeline.shift(len(frame.pcm)) if left_out else self._push(frame, frame.pcm)
        excess = self._excess(frame.arrival_ns)
        if self._standstill.resuming:
            self._standstill.resume(frame.arrival_ns, len(frame.pcm), excess or 0)
        if excess is None:
            return self._push(frame, frame.pcm)
        grown = self._correction.jump(excess)
        placed = self._timeline.shift(-grown) if grown else []
        is_new = self._arrivals_ns is not None and frame.arrival_ns - self._arrivals_ns[0] < _SETTLING_NS
        return placed + self._push(frame, self._correction.correct(frame.pcm, excess, gently=is_new))

    def _push(self, frame: _Frame, pcm: Pcm) -> list[Placed]:
        return self._timeline.push(pcm, self.clock.sample_at(frame.arrival_ns), self._correction.delay_samples)

    def _excess(self, now_ns: int) -> int | None:
        """By how much more than at rest what arrives now is late; None: not known."""
        delay = self._delay.at(now_ns)
        return None if delay is None else delay - _AT_REST_SAMPLES

    def _settles_since(self, now_ns: int) -> int | None:
        """The first sample of what goes on and has not settled yet."""
        self._settling = self.goes_on and self._arrivals_ns is not None and now_ns - self._arrivals_ns[0] < _SETTLING_NS
        if not self._settling or self._arrivals_ns is None:
            return None
        return self.clock.sample_at(self._arrivals_ns[0]) - self._first_samples

    def give_up(self, now_ns: int) -> list[Range]:
        """What was made up and will not be filled any more, and what is still in the jitter buffer, at the end."""
        self._standstill.end(now_ns)
        if self._standstill.distrusted:
            self._waiting.clear()
        return self._made_up.take() + self._unplayed(now_ns) + self._missed()

    def _unplayed(self, now_ns: int) -> list[Range]:
        """What the jitter buffer still holds: nobody plays it any more."""
        late, now_sample = self._excess(now_ns) or 0, self.clock.sample_at(now_ns)
        return [(now_sample - late, now_sample)] if late > _LEAST_SAMPLES else []

    def _samples(self, stretch_ns: tuple[int, int]) -> Range:
        return self.clock.sample_at(stretch_ns[0]), self.clock.sample_at(stretch_ns[1])


def _before(sample: int, made_up: list[Range]) -> list[Range]:
    """What of it another reason than a key may have, if it is long enough to be named."""
    cut = ((start, min(end, sample)) for start, end in made_up)
    return [(start, end) for start, end in cut if end - start >= _LEAST_SAMPLES]
