"""Whether what a track plays arrived after its process stood still. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.jitter_buffer.packet_tally import PacketTally
from worker.room.room_reading import TrackReading

MISSING_SAMPLES = SAMPLE_RATE // 10
"""So much may lack: packets on their way, and the delay of an answer."""

_READ_NS = 3 * SECOND_NS // 10  # after so long what waited in the socket is in the jitter buffer
_HASTY = 1.5  # if more than this times what is sent comes in an interval, the socket is still being emptied
_PLAYED_NS = 5 * SECOND_NS  # after so long everything that a full jitter buffer held was played
_TELLING_NS = SECOND_NS // 10  # readings closer together than this say nothing: a buffer plays some within it


class ReadAt(NamedTuple):
    """A reading, and when it was asked for."""

    reading: TrackReading
    at_ns: int


@dataclass(slots=True)
class PlayedAfterwards:
    """Compares readings after one standstill, which ended at `woke_ns`; instants are of the boot-time clock.

    Attributes:
        emptied_ns: from here on the socket is empty, as far as readings have told.
        before: whether what was played at the last reading but one had arrived after the standstill.
        now: the same of the last one.
    """

    woke_ns: int
    emptied_ns: int = field(init=False)
    before: bool = field(init=False, default=False)
    now: bool = field(init=False, default=False)
    _last: ReadAt | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.emptied_ns = self.woke_ns + _READ_NS

    def read(self, now: ReadAt, packets: PacketTally) -> bool:
        """Take a reading; returns whether it tells anything. `packets` are the track's."""
        last = self._last
        if last is None or now.reading.emitted_samples < last.reading.emitted_samples:
            self._last, self.now = now, False
            return False
        if now.at_ns - last.at_ns < _TELLING_NS:
            return False
        self.before, self._last = self.now, now
        sent = (now.at_ns - last.at_ns) * SAMPLE_RATE // SECOND_NS
        if packets.received_samples(last.reading, now.reading) > _HASTY * sent + MISSING_SAMPLES:
            self.emptied_ns = max(now.at_ns, self.emptied_ns)
        self.now = self._arrived_afterwards(last, now)
        return True

    def _arrived_afterwards(self, last: ReadAt, now: ReadAt) -> bool:
        """Whether what is played now arrived after the socket was emptied.

        Packets are played in the order of their arrival. So what is played at the end of an interval did not arrive
        before the middle of the interval less the time that its samples waited on average.
        """
        if now.at_ns - self.emptied_ns >= _PLAYED_NS:
            return True
        emitted = now.reading.emitted_samples - last.reading.emitted_samples
        if not emitted:
            return last.at_ns >= self.emptied_ns
        waited = (now.reading.waited_seconds - last.reading.waited_seconds) / emitted
        return (last.at_ns + now.at_ns) / 2 - waited * SECOND_NS >= self.emptied_ns
