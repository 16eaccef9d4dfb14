"""What the last standstills of this process cost one track. Pure.

Frames that were due during a standstill come all at once afterwards. If only the event loop stood still and the jitter
buffer ran on, they are true. If both stood still, they were made up, and what was sent meanwhile follows them, as far
as the socket has kept it.

After a long standstill socket and jitter buffer are full: the buffer discards everything, and frames that come then may
lie seconds from where the counters place them, which the counters may show too late (measured with SIGSTOP for 8 s). So
frames after a long standstill are recorded only if a reading proves that as much came and was kept as was due. Else
they are left out until what is played is proven to have arrived after the standstill.
"""

from dataclasses import dataclass, field
from enum import Enum

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.jitter_buffer.buffer_delay import BufferDelay
from worker.capture.jitter_buffer.catch_up import CatchUp
from worker.capture.jitter_buffer.played_afterwards import MISSING_SAMPLES, PlayedAfterwards, ReadAt
from worker.capture.jitter_buffer.standstill_costs import StandstillCosts
from worker.room.room_reading import TrackReading

_MADE_UP = 0.7  # if this share of what was due was made up, the jitter buffer stood still, too
_LONG_NS = 14 * SECOND_NS // 5  # a standstill is long when two frames lie further apart
SEAM_SAMPLES = SAMPLE_RATE // 5
"""How much audio around the place where made-up audio ends and late audio begins is not true."""

_SEAM_NS = SEAM_SAMPLES * SECOND_NS // SAMPLE_RATE


class _Trust(Enum):
    """What a standstill makes of the frames that come after it."""

    KEPT = "they are believed"
    JUDGING = "it was long, and no reading has decided yet"
    LOST = "they are left out"
    REGAINED = "they can be believed again, and none has come yet"


@dataclass(slots=True)
class TrackStandstill:
    """Follows one track's frames; instants are of the boot-time clock, in nanoseconds.

    Attributes:
        leaves_out: frames that were due in the standstill were made up.
        resuming: every frame since the standstill was due in it.
        dropped_samples: true audio of the last short standstill that was left out with what was made up.
    """

    leaves_out: bool = field(init=False, default=False)
    resuming: bool = field(init=False, default=False)
    dropped_samples: int = field(init=False, default=0)
    _trust: _Trust = field(init=False, default=_Trust.KEPT)
    _catch_up: CatchUp = field(init=False, default_factory=CatchUp)
    _long: bool = field(init=False, default=False)
    _from_ns: int = field(init=False, default=0)  # when the last frame before the standstill came
    _before: ReadAt | None = field(init=False, default=None)  # the last reading before it, until one after it decides
    _played: PlayedAfterwards = field(init=False, default_factory=lambda: PlayedAfterwards(0))
    _costs: StandstillCosts = field(init=False, default_factory=StandstillCosts)

    @property
    def judging(self) -> bool:
        """Whether the standstill was long, and no reading has decided yet whether frames can be believed."""
        return self._trust is _Trust.JUDGING

    @property
    def distrusted(self) -> bool:
        """Whether frames can't be believed, and are left out."""
        return self._trust is _Trust.LOST

    def is_over(self, now_ns: int) -> bool:
        """Whether frames come again, and what waited in the socket is in the jitter buffer."""
        return now_ns >= self._played.emptied_ns and not self._catch_up.lacks(now_ns)

    def take(self, arrival_ns: int, num_samples: int, last_ns: int, last: ReadAt | None) -> tuple[bool, bool]:
        """Take a frame; returns whether it is the first one after a standstill, and whether it was due in one.

        Args:
            last_ns: when the frame before came.
            last: the last reading that was asked for before that.
        """
        begins = self._catch_up.begins(arrival_ns, num_samples)
        if begins:
            unsettled = self._trust is not _Trust.KEPT
            if not unsettled:
                self._from_ns, self._before = last_ns, last
            self._long = unsettled or arrival_ns - last_ns > _LONG_NS
            self._trust = _Trust.JUDGING if self._long else _Trust.KEPT
            self._played = PlayedAfterwards(arrival_ns)
            self.resuming, self.leaves_out, self.dropped_samples = True, self._long, 0
        return begins, self._catch_up.takes(num_samples)

    def settle(self, reading: TrackReading) -> None:
        """Take the first reading after a short standstill; not all frames that were due in it have come yet."""
        if self._long or self._before is None:
            return
        before, self._before = self._before.reading, None
        made_up = reading.concealed_samples - before.concealed_samples
        due = (self._played.woke_ns - self._from_ns) * SAMPLE_RATE // SECOND_NS
        self.leaves_out = made_up >= _MADE_UP * due
        self.dropped_samples = max(due - made_up, 0) if self.leaves_out else 0

    def read(self, now: ReadAt, delay: BufferDelay) -> bool:
        """Take a reading after a long standstill.

        Args:
            delay: the track's.

        Returns:
            Whether frames were distrusted until now, and can be believed from now on.
        """
        if not (self.judging or self.distrusted) or now.at_ns < self._played.woke_ns:
            return False
        if not self._played.read(now, delay.packets):
            return False
        if self.judging and now.at_ns > self._played.emptied_ns:
            self._judge(now, delay)
        elif self.distrusted and self._played.before and self._played.now:
            self._trust = _Trust.REGAINED
            return True
        return False

    def _judge(self, now: ReadAt, delay: BufferDelay) -> None:
        if self._before is not None:
            before, at_ns = self._before
            due = (now.at_ns - at_ns) * SAMPLE_RATE // SECOND_NS
            if delay.packets.kept_samples(before, now.reading) >= due - MISSING_SAMPLES:
                self.leaves_out = now.reading.concealed_samples - before.concealed_samples > MISSING_SAMPLES
                self._trust, self._before = _Trust.KEPT, None
                return
        self.give_up_judging()

    def give_up_judging(self) -> None:
        """Distrust frames from now on, if no reading has decided whether they can be believed."""
        if self.judging:
            self._trust, self._before = _Trust.LOST, None

    def resume(self, arrival_ns: int, num_samples: int, excess: int) -> None:
        """Note what the standstill cost: the first frame that was not due in it has come, `excess` samples late.

        What was due is either true, or ends where this frame begins.
        """
        self.resuming = False
        if not self._long:
            return
        late_ns = (num_samples + excess) * SECOND_NS // SAMPLE_RATE
        to_ns = max(arrival_ns - late_ns, self._from_ns + _SEAM_NS) if self.leaves_out else self._from_ns
        self._costs.note(self._played.woke_ns, self._from_ns, to_ns)
        if self._trust is _Trust.REGAINED:
            self._trust = _Trust.KEPT

    def end(self, now_ns: int) -> None:
        """Count everything that no reading has proven as lost: the track ends now."""
        if self._trust is not _Trust.KEPT:
            self._trust, self.resuming = _Trust.LOST, False
            self._costs.note(self._played.woke_ns, self._from_ns, now_ns)

    def take_missed(self) -> tuple[int, int] | None:
        """Return what the last long standstill cost, if anything, once."""
        return self._costs.take()

    def missed(self, from_ns: int, to_ns: int) -> tuple[int, int]:
        """The part of a long standstill of the process between these instants for which the track has no true audio.

        It is all of it when the track has noticed no standstill then.
        """
        return self._costs.within(from_ns, to_ns)
