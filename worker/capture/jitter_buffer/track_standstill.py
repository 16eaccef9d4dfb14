"""What the last standstills of this process cost one track. Pure.

Frames that were due during a standstill come all at once afterwards. If only the event loop stood still and the jitter
buffer ran on, they are true. If both stood still, they were made up, and what was sent meanwhile follows them, as far
as the socket has kept it.

After a long standstill socket and jitter buffer are full: the buffer discards everything, and frames that come then may
lie seconds from where the counters place them, which the counters may show too late (measured with SIGSTOP for 8 s). So
frames after a long standstill are recorded only if a reading proves that as much came and was kept as was due. Else
they are left out until what is played is proven to have arrived after the standstill.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.jitter_buffer.buffer_delay import BufferDelay
from worker.capture.jitter_buffer.catch_up import CatchUp
from worker.room.room_reading import TrackReading

_MADE_UP = 0.7  # if this share of what was due was made up, the jitter buffer stood still, too
_LONG_NS = 14 * SECOND_NS // 5  # a standstill is long when two frames lie further apart
_READ_NS = 3 * SECOND_NS // 10  # after so long what waited in the socket is in the jitter buffer
_HASTY = 1.5  # if more than this times what is sent comes in an interval, the socket is still being emptied
_MISSING_SAMPLES = SAMPLE_RATE // 10  # so much may lack: packets on their way, and the delay of an answer
_PLAYED_NS = 5 * SECOND_NS  # after so long everything that a full jitter buffer held was played
_TELLING_NS = SECOND_NS // 10  # readings closer together than this say nothing: a buffer plays some within it
_MOST_KNOWN = 16  # long standstills that are remembered; each is asked for within seconds
SEAM_SAMPLES = SAMPLE_RATE // 5
"""How much audio around the place where made-up audio ends and late audio begins is not true."""

_SEAM_NS = SEAM_SAMPLES * SECOND_NS // SAMPLE_RATE


class ReadAt(NamedTuple):
    """A reading, and when it was asked for."""

    reading: TrackReading
    at_ns: int


class _Long(NamedTuple):
    """A long standstill: when the first frame after it came, and [from_ns, to_ns), which it cost."""

    woke_ns: int
    from_ns: int
    to_ns: int


@dataclass(slots=True)
class TrackStandstill:
    """Follows one track's frames; instants are of the boot-time clock, in nanoseconds.

    Attributes:
        leaves_out: frames that were due in the standstill were made up.
        resuming: every frame since the standstill was due in it.
        judging: the standstill was long, and no reading has decided yet whether frames can be believed.
        distrusted: they can't, and are left out.
    """

    leaves_out: bool = field(init=False, default=False)
    resuming: bool = field(init=False, default=False)
    judging: bool = field(init=False, default=False)
    distrusted: bool = field(init=False, default=False)
    _catch_up: CatchUp = field(init=False, default_factory=CatchUp)
    _long: bool = field(init=False, default=False)
    _from_ns: int = field(init=False, default=0)  # when the last frame before the standstill came
    _woke_ns: int = field(init=False, default=0)  # when the first frame after it came
    _read_ns: int = field(init=False, default=0)  # from here on the socket is empty
    _before: ReadAt | None = field(init=False, default=None)  # the last reading before it, until one after it decides
    _last: ReadAt | None = field(init=False, default=None)  # the last reading after it
    _is_live: bool = field(init=False, default=False)  # what was played at `_last` had arrived after the standstill
    _overdue_samples: int = field(init=False, default=0)
    _was_distrusted: bool = field(init=False, default=False)  # until a frame comes that is believed
    _known: deque[_Long] = field(init=False, default_factory=lambda: deque(maxlen=_MOST_KNOWN))
    _untold: tuple[int, int] | None = field(init=False, default=None)  # what the last long one cost, not taken yet

    def take(self, arrival_ns: int, num_samples: int, last_ns: int, last: ReadAt | None) -> tuple[bool, bool]:
        """Take a frame; returns whether it is the first one after a standstill, and whether it was due in one.

        Args:
            last_ns: when the frame before came.
            last: the last reading that was asked for before that.
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
        """Take the first reading after a short standstill, once the frames that were due in it have come."""
        if self._long or self._before is None:
            return
        before, self._before = self._before.reading, None
        self.leaves_out = reading.concealed_samples - before.concealed_samples >= _MADE_UP * self._overdue_samples

    def read(self, now: ReadAt, delay: BufferDelay) -> bool:
        """Take a reading after a long standstill.

        Args:
            delay: the track's.

        Returns:
            Whether frames were distrusted until now, and can be believed from now on.
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
        if delay.packets.received_samples(last.reading, now.reading) > _HASTY * sent + _MISSING_SAMPLES:
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
            if delay.packets.kept_samples(before, now.reading) >= due - _MISSING_SAMPLES:
                self.leaves_out = now.reading.concealed_samples - before.concealed_samples > _MISSING_SAMPLES
                self.judging, self._before = False, None
                return
        self.give_up_judging()

    def _arrived_afterwards(self, last: ReadAt, now: ReadAt) -> bool:
        """Whether what is played now arrived after the socket was emptied.

        Packets are played in the order of their arrival. So what is played at the end of an interval did not arrive
        before the middle of the interval less the time that its samples waited on average.
        """
        if now.at_ns - self._read_ns >= _PLAYED_NS:
            return True
        emitted = now.reading.emitted_samples - last.reading.emitted_samples
        if not emitted:
            return last.at_ns >= self._read_ns
        waited = (now.reading.waited_seconds - last.reading.waited_seconds) / emitted
        return (last.at_ns + now.at_ns) / 2 - waited * SECOND_NS >= self._read_ns

    def give_up_judging(self) -> None:
        """Distrust frames from now on, if no reading has decided whether they can be believed."""
        if self.judging:
            self.judging, self.distrusted, self._before = False, True, None

    def resume(self, arrival_ns: int, num_samples: int, excess: int) -> None:
        """Note what the standstill cost: the first frame that was not due in it has come, `excess` samples late.

        What was due is either true, or ends where this frame begins.
        """
        self.resuming = False
        if not self._long:
            return
        late_ns = (num_samples + excess) * SECOND_NS // SAMPLE_RATE
        to_ns = max(arrival_ns - late_ns, self._from_ns + _SEAM_NS) if self.leaves_out else self._from_ns
        self._note(to_ns)

    def end(self, now_ns: int) -> None:
        """Count everything that no reading has proven as lost: the track ends now."""
        if self.judging or self.distrusted or self._was_distrusted:
            self.judging, self.distrusted, self.resuming = False, True, False
            self._note(now_ns)

    def _note(self, to_ns: int) -> None:
        self._known.append(_Long(self._woke_ns, self._from_ns, to_ns))
        self._was_distrusted = False
        if to_ns > self._from_ns:
            self._untold = (self._from_ns, to_ns)

    def take_missed(self) -> tuple[int, int] | None:
        """Return what the last long standstill cost, if anything, once."""
        untold, self._untold = self._untold, None
        return untold

    def missed(self, from_ns: int, to_ns: int) -> tuple[int, int]:
        """The part of a long standstill of the process between these instants for which the track has no true audio.

        It is all of it when the track has noticed no standstill then.
        """
        known = [one for one in self._known if one.woke_ns >= from_ns and one.from_ns <= to_ns]
        lacking = [one for one in known if one.to_ns > one.from_ns]
        if known and not lacking:
            return from_ns, from_ns
        return (
            min((one.from_ns for one in lacking), default=from_ns),
            max((one.to_ns for one in lacking), default=to_ns),
        )
