"""One reading of a room: what its transport has received, and what its jitter buffers have made up."""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.room.connection_proof import ConnectionReading


@dataclass(frozen=True, slots=True)
class TrackReading:
    """A track's receiver: samples (at 48 kHz) that its jitter buffer has made up so far, and packets that came."""

    concealed_samples: int
    packets: int


@dataclass(frozen=True, slots=True)
class RoomReading:
    """`tracks` are by sid; a track without a receiver is not among them."""

    connection: ConnectionReading
    tracks: Mapping[str, TrackReading]
