"""What the last standstill of this process cost one track. Pure.

What was due in it comes all at once afterwards. It is true if the jitter buffer ran on, and only the event loop stood
still; it was made up if both stood still, and then what was sent comes behind it, if the socket kept it.
"""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.catch_up import CatchUp
from worker.room.room_reading import TrackReading

_MADE_UP = 0.7  # of what was due: then the jitter buffer stood still too
_LOST_PACKETS = 10
SEAM_SAMPLES = SAMPLE_RATE // 5
"""Where made-up audio goes over into what was held up, neither is true."""

_SEAM_NS = SEAM_SAMPLES * SECOND_NS // SAMPLE_RATE


@dataclass(slots=True)
class TrackStandstill:
    """Follows one track's frames; instants are of the boot-time clock, in nanoseconds.

    Attributes:
        leaves_out: what was due in the standstill was made up.
        resuming: no frame has come yet that was not due in it.
    """

    leaves_out: bool = field(init=False, default=False)
    resuming: bool = field(init=False, default=False)
    _catch_up: CatchUp = field(init=False, default_factory=CatchUp)
    _from_ns: int = field(init=False, default=0)  # the last frame before
    _before: TrackReading | None = field(
        init=False, default=None
    )  # the last reading before, until one after it has come
    _lost: bool = field(init=False, default=False)  # packets
    _missed: tuple[int, int] | None = field(init=False, default=None)

    def take(self, arrival_ns: int, num_samples: int, last_ns: int, last: TrackReading | None) -> tuple[bool, bool]:
        """Take a frame; whether it is the first one after a standstill, and whether it was due in it.

        Args:
            last_ns: when the frame before came.
            last: the last reading.
        """
        begins = self._catch_up.begins(arrival_ns, num_samples)
        if begins:
            self._from_ns, self.resuming, self.leaves_out, self._lost = last_ns, True, False, True
            self._before = last
        return begins, self._catch_up.takes(num_samples)

    def read(self, reading: TrackReading, overdue_samples: int) -> None:
        """Take the first reading after it, given how much was due in it and has come."""
        if self._before is None:
            return
        self.leaves_out = reading.concealed_samples - self._before.concealed_samples >= _MADE_UP * overdue_samples
        self._lost = reading.lost_packets - self._before.lost_packets > _LOST_PACKETS
        self._before = None

    def resume(self, arrival_ns: int, num_samples: int, excess: int) -> None:
        """The first frame after it has come, so many samples late: what was due is true, or ends where this begins."""
        self.resuming = False
        if not (self.leaves_out or self._lost):
            self._missed = (self._from_ns, self._from_ns)
            return
        back = num_samples + (0 if self._lost else excess)
        self._missed = (self._from_ns, max(arrival_ns - back * SECOND_NS // SAMPLE_RATE, self._from_ns + _SEAM_NS))

    def missed(self, from_ns: int, to_ns: int) -> tuple[int, int]:
        """What the track has no true audio of, after a standstill of the process between these instants.

        All of it if the track's own account ends before: after eight seconds its counters were seen to tell of no loss
        where seconds were lost.
        """
        if self._missed is None or self._missed[1] < from_ns:
            return from_ns, to_ns
        return self._missed
