"""How much audio a receiver's packets hold, by its counters: their length, their doubles, those that were let go. Pure.

Counters tell packets, not samples. How long each packet is, and how many doubles it has (redundant copies, which are
counted as discarded), is learned from what a number of them made the receiver play and discard.
"""

from dataclasses import dataclass, field

from worker.room.room_reading import NOTHING_READ, TrackReading

_LEAST_PACKETS = 10  # fewer packets do not tell how long each is, or how many doubles it has
_FIRST_PACKETS = 60  # until so many have come, a few tell the length well: a new buffer holds little
_TELLING_PACKETS = 600  # so many tell the length for certain: three times what a buffer holds
_CLEAR = 0.15  # the average may differ from a length by this share of it
_PACKET_SAMPLES = (480, 960, 1920, 2880)  # the lengths of Opus packets in WebRTC
_MOST_DOUBLES = 2  # of each packet
_MOST_OWED = 2  # the counter of discarded packets lags by so many doubles; more were never sent


@dataclass(slots=True)
class PacketTally:
    """Follows one track's receiver.

    Attributes:
        packet_samples: how long each packet is.
    """

    packet_samples: int = field(init=False, default=960)
    _doubles: int = field(init=False, default=0)  # discarded packets per packet
    _owed: int = field(init=False, default=0)  # doubles of packets that came which are not counted as discarded yet
    _let_go: int = field(init=False, default=0)  # packets that a full buffer discarded
    _learned_at: TrackReading | None = field(init=False, default=None)
    _other: tuple[int, int] | None = field(init=False, default=None)  # length and doubles as `learn` found them last
    _measured_at: tuple[TrackReading, int] = field(init=False, default=(NOTHING_READ, 0))  # with `_let_go` then

    def received_samples(self, since: TrackReading, until: TrackReading) -> int:
        """How many samples came between two readings, doubles left out."""
        return (until.packets - since.packets) * self.packet_samples

    def kept_samples(self, since: TrackReading, until: TrackReading) -> int:
        """How many of `received_samples` were played or wait to be: all but what a full buffer discarded."""
        doubles = self._doubles * (until.packets - since.packets)
        let_go = max(until.discarded_packets - since.discarded_packets - doubles, 0)
        return self.received_samples(since, until) - let_go * self.packet_samples

    def unplayed_samples(self, reading: TrackReading) -> int:
        """The backlog, plus an unknown constant."""
        return (reading.packets - self._let_go) * self.packet_samples - reading.emitted_samples

    def begin_anew(self) -> None:
        """The receiver was replaced: the counters of the new one begin at 0."""
        self._learned_at = None
        self._owed = self._let_go = 0
        self._measured_at = (NOTHING_READ, 0)

    def learn_from(self, reading: TrackReading) -> None:
        """What came until this reading says nothing of length and doubles."""
        self._learned_at = reading

    def doubt(self, reading: TrackReading | None) -> None:
        """Nor does it here, and another length or number of doubles must be found twice from here on to be believed."""
        self._learned_at, self._other = reading, None

    def follow_discarded(self, last: TrackReading, reading: TrackReading) -> None:
        """Sort discarded packets into doubles and packets that a full buffer discarded.

        Not every packet has doubles: a silent sender sends a packet each 0.4 s (DTX), which nothing repeats.
        """
        discarded = reading.discarded_packets - last.discarded_packets
        owed = self._owed + self._doubles * (reading.packets - last.packets) - discarded
        self._let_go += max(-owed, 0)
        self._owed = min(max(owed, 0), _MOST_OWED)

    def learn(self, reading: TrackReading) -> bool:
        """Find out how long packets are and how many doubles each has; returns whether either has changed."""
        since = self._learned_at or NOTHING_READ
        packets = reading.packets - since.packets
        if packets < _LEAST_PACKETS:
            return False
        self._learned_at = reading
        emitted = (reading.emitted_samples - since.emitted_samples) / packets
        discarded = round((reading.discarded_packets - since.discarded_packets) / packets)
        length = _length(emitted) if reading.packets <= _FIRST_PACKETS else self.packet_samples
        known, self._other = self._other, (length, max(min(discarded, _MOST_DOUBLES), 0))
        if self._other in ((self.packet_samples, self._doubles), known):
            changed = self._other != (self.packet_samples, self._doubles)
            self.packet_samples, self._doubles = self._other
            return changed
        return False

    def measure(self, reading: TrackReading) -> bool:
        """Correct the length of packets over many of them; returns whether it was wrong.

        While a server stands still, the buffer is played and nothing comes, so that the few packets of that time seem
        to be twice as long as they are. A backlog that is counted with such a length grows for ever (19 s in 30, seen).
        """
        since, let_go = self._measured_at
        packets = reading.packets - since.packets - (self._let_go - let_go)
        if packets < _TELLING_PACKETS:
            return False
        emitted = (reading.emitted_samples - since.emitted_samples) / packets
        known, length = self.packet_samples, _length(emitted)
        if abs(emitted - length) > _CLEAR * length:
            return False
        self._measured_at, self.packet_samples = (reading, self._let_go), length
        return known != length


def _length(emitted: float) -> int:
    """The length of Opus packets of which so many samples were played on average."""
    return min(_PACKET_SAMPLES, key=lambda one: abs(one - emitted))
