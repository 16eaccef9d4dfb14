"""What the last standstills of this process cost one track. Pure.

What was due in one comes all at once afterwards. If only the event loop stood still and the jitter buffer ran on, it is
true. If both stood still, it was made up, and what was sent comes behind it, as far as the socket has kept it.

A long one is more than socket and jitter buffer hold: a full buffer lets everything go, and what comes then may be
seconds beside where the counters place it, which may tell of it too late (measured with SIGSTOP for 8 s). So what comes
after a long one is believed if a reading proves that as much came and was kept as was due. Else it is left out until
what comes out is proven to have arrived afterwards.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.jitter_buffer.buffer_delay import BufferDelay
from worker.capture.jitter_buffer.catch_up import CatchUp
from worker.room.room_reading import TrackReading

_MADE_UP = 0.7  # of what was due: then the jitter buffer stood still too
_LONG_NS = 14 * SECOND_NS // 5  # between two frames
_READ_NS = 3 * SECOND_NS // 10  # until what waited in the socket is in the jitter buffer
_HASTY = 1.5  # times as much as is sent in an interval: what waited in the socket is still being read
_MISSING_SAMPLES = SAMPLE_RATE // 10  # that may lack: packets on their way, and the delay of an answer
_PLAYED_NS = 5 * SECOND_NS  # until whatever a full jitter buffer holds was played
_TELLING_NS = SECOND_NS // 10  # between readings; a buffer that holds something plays some of it meanwhile
_MOST_KNOWN = 16  # long ones; each is asked for within seconds
SEAM_SAMPLES = SAMPLE_RATE // 5
"""Where made-up audio goes over into what was held up, neither is true."""

_SEAM_NS = SEAM_SAMPLES * SECOND_NS // SAMPLE_RATE


class ReadAt(NamedTuple):
    """A reading, and when it was asked for."""

    reading: TrackReading
    at_ns: int


class _Long(NamedTuple):
    """A long one: when its first frame came, and [from_ns, to_ns), what it cost."""

    woke_ns: int
    from_ns: int
    to_ns: int


@dataclass(slots=True)
class TrackStandstill:
    """Follows one track's frames; instants are of the boot-time clock, in nanoseconds.

    Attributes:
        leaves_out: what was due in the standstill was made up.
        resuming: no frame has come yet that was not due in it.
        judging: it was long, and no reading has told yet whether what comes can be believed.
        distrusted: it can't, and what comes is left out.
    """

    leaves_out: bool = field(init=False, default=False)
    resuming: bool = field(init=False, default=False)
    judging: bool = field(init=False, default=False)
    distrusted: bool = field(init=False, default=False)
    _catch_up: CatchUp = field(init=False, default_factory=CatchUp)
    _long: bool = field(init=False, default=False)
    _from_ns: int = field(init=False, default=0)  # the last frame before
    _woke_ns: int = field(init=False, default=0)  # the first frame after
    _read_ns: int = field(init=False, default=0)  # when the socket is empty
    _before: ReadAt | None = field(init=False, default=None)  # the last reading before, until one after it has told
    _last: ReadAt | None = field(init=False, default=None)  # the last one after it
    _is_live: bool = field(init=False, default=False)  # at the last one
    _overdue_samples: int = field(init=False, default=0)
    _was_distrusted: bool = field(init=False, default=False)  # until a frame comes that is believed
    _known: deque[_Long] = field(init=False, default_factory=lambda: deque(maxlen=_MOST_KNOWN))
    _untold: tuple[int, int] | None = field(init=False, default=None)  # of what the last one cost

    def take(self, arrival_ns: int, num_samples: int, last_ns: int, last: ReadAt | None) -> tuple[bool, bool]:
        """Take a frame; whether it is the first one after a standstill, and whether it was due in it.

        Args:
            last_ns: when the frame before came.
            last: the last reading.
        """
        begins = self._catch_up.begins(arrival_ns, num_samples)
        if begins:
            unsettled = self.judging or self.distrusted or self._was_distrusted
            if not unsettled:
                self._from_ns, self._before = last_ns, last
            self._long = self.judging = unsettled or arrival_ns - last_ns > _LONG_NS
            self.distrusted = self._was_distrusted = False
            self._woke_ns, self._read_ns, self._overdue_samples = arrival_ns, arrival_ns + _READ_NS, 0
            self._last, self._is_live = None, False
            self.resuming, self.leaves_out = True, self._long
        overdue = self._catch_up.takes(num_samples)
        self._overdue_samples += num_samples if overdue else 0
        return begins, overdue

    def settle(self, reading: TrackReading) -> None:
        """Take the first reading after a short one, once what was due in it has come."""
        if self._long or self._before is None:
            return
        before, self._before = self._before.reading, None
        self.leaves_out = reading.concealed_samples - before.concealed_samples >= _MADE_UP * self._overdue_samples

    def read(self, now: ReadAt, delay: BufferDelay) -> bool:
        """Take a reading after a long one; whether what comes is live from now on, and was distrusted until now.

        Args:
            delay: of the track.
        """
        if not (self.judging or self.distrusted) or now.at_ns < self._woke_ns:
            return False
        last = self._last
        if last is None or now.reading.emitted_samples < last.reading.emitted_samples:
            self._last, self._is_live = now, False
            return False
        if now.at_ns - last.at_ns < _TELLING_NS:
            return False
        was_live, self._last = self._is_live, now
        sent = (now.at_ns - last.at_ns) * SAMPLE_RATE // SECOND_NS
        if delay.received_samples(last.reading, now.reading) > _HASTY * sent + _MISSING_SAMPLES:
            self._read_ns = max(now.at_ns, self._read_ns)
        self._is_live = self._arrived_afterwards(last, now)
        if self.judging and now.at_ns > self._read_ns:
            self._judge(now, delay)
        elif self.distrusted and was_live and self._is_live:
            self.distrusted, self._was_distrusted = False, True
            return True
        return False

    def _judge(self, now: ReadAt, delay: BufferDelay) -> None:
        if self._before is not None:
            before, at_ns = self._before
            due = (now.at_ns - at_ns) * SAMPLE_RATE // SECOND_NS
            if delay.kept_samples(before, now.reading) >= due - _MISSING_SAMPLES:
                self.leaves_out = now.reading.concealed_samples - before.concealed_samples > _MISSING_SAMPLES
                self.judging, self._before = False, None
                return
        self.give_up_judging()

    def _arrived_afterwards(self, last: ReadAt, now: ReadAt) -> bool:
        """Whether what comes out now arrived after the socket was empty.

        Packets are played in the order of their arrival. So what comes out at the end of an interval did not arrive
        before the middle of the interval less what its samples waited on average.
        """
        if now.at_ns - self._read_ns >= _PLAYED_NS:
            return True
        emitted = now.reading.emitted_samples - last.reading.emitted_samples
        if not emitted:
            return last.at_ns >= self._read_ns
        waited = (now.reading.waited_seconds - last.reading.waited_seconds) / emitted
        return (last.at_ns + now.at_ns) / 2 - waited * SECOND_NS >= self._read_ns

    def give_up_judging(self) -> None:
        """No reading has told whether what comes can be believed."""
        if self.judging:
            self.judging, self.distrusted, self._before = False, True, None

    def resume(self, arrival_ns: int, num_samples: int, excess: int) -> None:
        """The first frame after it has come, so many samples late: what was due is true, or ends where this begins."""
        self.resuming = False
        if not self._long:
            return
        late_ns = (num_samples + excess) * SECOND_NS // SAMPLE_RATE
        to_ns = max(arrival_ns - late_ns, self._from_ns + _SEAM_NS) if self.leaves_out else self._from_ns
        self._note(to_ns)

    def end(self, now_ns: int) -> None:
        """The end comes now: what nothing has proven until now will never be."""
        if self.judging or self.distrusted or self._was_distrusted:
            self.judging, self.distrusted, self.resuming = False, True, False
            self._note(now_ns)

    def _note(self, to_ns: int) -> None:
        self._known.append(_Long(self._woke_ns, self._from_ns, to_ns))
        self._was_distrusted = False
        if to_ns > self._from_ns:
            self._untold = (self._from_ns, to_ns)

    def take_missed(self) -> tuple[int, int] | None:
        """What the last long one cost, if anything; told once."""
        untold, self._untold = self._untold, None
        return untold

    def missed(self, from_ns: int, to_ns: int) -> tuple[int, int]:
        """What the track has no true audio of, after a long standstill of the process between these instants.

        All of it if the track knows of none then.
        """
        known = [one for one in self._known if one.woke_ns >= from_ns and one.from_ns <= to_ns]
        lacking = [one for one in known if one.to_ns > one.from_ns]
        if known and not lacking:
            return from_ns, from_ns
        return (
            min((one.from_ns for one in lacking), default=from_ns),
            max((one.to_ns for one in lacking), default=to_ns),
        )
