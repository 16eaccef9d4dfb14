"""One reading of a room: what its transport has received, and what its jitter buffers have done with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.room.missing.connection_proof import ConnectionReading


@dataclass(frozen=True, slots=True)
class TrackReading:
    """A track's receiver, by counters that only grow. Samples are at 48 kHz.

    Attributes:
        concealed_samples: that the jitter buffer has made up.
        emitted_samples: of packets that the jitter buffer has given to the decoder.
        waited_seconds: how long each of these samples was in the jitter buffer, summed up.
        packets: that came, whether they could be deciphered or not.
        discarded_packets: of these, what was not played: doubles, and what a full buffer let go.
        stretched_samples: that the jitter buffer has put in, or left out, to make its delay longer or shorter.
    """

    concealed_samples: int
    emitted_samples: int
    waited_seconds: float
    packets: int
    discarded_packets: int
    stretched_samples: int = 0


NOTHING_READ = TrackReading(0, 0, 0.0, 0, 0)
"""What a new receiver has counted."""


@dataclass(frozen=True, slots=True)
class RoomReading:
    """`tracks` are by sid; a track without a receiver is not among them."""

    connection: ConnectionReading
    tracks: Mapping[str, TrackReading]
