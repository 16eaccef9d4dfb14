"""Until when the connection to a room is proven, by readings of what its transport has received. Pure.

Measured with livekit 1.2.1 and livekit-server 1.13.5: a nominated candidate pair's received bytes and the time of its
last packet move with media and data, and its STUN counters about every 2.5 s, also in an empty room. All of them stand
still as soon as nothing arrives, while the SDK says nothing for 13 s and its jitter buffers go on making frames. So
frames prove nothing, and signaling proves nothing about media, which takes another way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from store.database.boot_clock import SECOND_NS

_UNSEEN_NS = 5 * SECOND_NS  # readings that lie further apart mean that this process stood still
_FRESH_NS = 4 * SECOND_NS  # a good connection's proof is younger: 2.5 s between STUN messages, and a reading


@dataclass(frozen=True, slots=True)
class PairCounters:
    """What one nominated candidate pair has received so far.

    Attributes:
        num_bytes: of media and data.
        stun_messages: STUN requests and responses.
        last_packet_ns: when the last packet of media or data came (boot-time clock); None: there was none.
    """

    num_bytes: int
    stun_messages: int
    last_packet_ns: int | None


@dataclass(frozen=True, slots=True)
class ConnectionReading:
    """The nominated pairs by their ids, as they were at some moment from `asked_ns` to `answered_ns`."""

    asked_ns: int
    answered_ns: int
    pairs: Mapping[str, PairCounters]


_NOTHING = PairCounters(0, 0, None)


@dataclass(slots=True)
class ConnectionProof:
    """Takes readings in order; instants are of the boot-time clock, in nanoseconds.

    Attributes:
        proven_ns: the last instant at which the connection is known to have carried something; at first, the join.
    """

    proven_ns: int
    _looked_ns: int = field(init=False)  # when a reading was asked for last, answered or not
    _read_ns: int = field(init=False)
    _pairs: Mapping[str, PairCounters] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._looked_ns = self._read_ns = self.proven_ns

    @property
    def doubt_ns(self) -> int:
        """How long nothing had been proven when a reading was asked for last."""
        return max(self._looked_ns - self.proven_ns, 0)

    @property
    def fresh(self) -> bool:
        """Whether the proof is as young as that of a good connection."""
        return self.doubt_ns <= _FRESH_NS

    def read(self, reading: ConnectionReading) -> None:
        """Take a reading.

        A packet of media proves the instant at which it came. A STUN message has no time of its own; it proves the
        instant of the reading before, after which it came.
        """
        self._look(reading.asked_ns)
        earliest_ns = self._read_ns
        for name, now in reading.pairs.items():
            before = self._pairs.get(name, _NOTHING)
            if now.num_bytes != before.num_bytes and now.last_packet_ns is not None:
                self._prove(min(max(now.last_packet_ns, earliest_ns), reading.answered_ns))
            elif now.stun_messages != before.stun_messages:
                self._prove(earliest_ns)
        self._pairs, self._read_ns = reading.pairs, reading.asked_ns

    def missed(self, asked_ns: int) -> None:
        """Note that a reading was asked for and not answered."""
        self._look(asked_ns)

    def _look(self, asked_ns: int) -> None:
        """Note when a reading was asked for.

        Where this process stood still before it, the connection is not to blame: that is named elsewhere.
        """
        if asked_ns - self._looked_ns > _UNSEEN_NS and self.fresh:
            self._prove(asked_ns)
        self._looked_ns = max(self._looked_ns, asked_ns)

    def _prove(self, instant_ns: int) -> None:
        self.proven_ns = max(self.proven_ns, instant_ns)
