"""Segments in memory, in the place of a storage, and the plan that names them."""

import numpy as np

from audio.pcm import Pcm
from audio.segments.plan import BuildPlan, PlannedSegment
from audio.segments.segments import Side, encode_audio, encode_header, encode_track, segment_key

OWNER = "owner"


class StoredSegments(dict[str, bytes]):
    """Segments by storage key, and the plan entries for them."""

    def __init__(self) -> None:
        super().__init__()
        self.planned: list[PlannedSegment] = []

    def store(self, *records: bytes, epoch: int = 1, sequence: int | None = None) -> PlannedSegment:
        """Put a segment of these records."""
        data = encode_header("ses_1", epoch, OWNER, 0) + b"".join(records)
        key = segment_key(data, len(self.planned) if sequence is None else sequence)
        planned = PlannedSegment(key, f"ses_1/{key.name}")
        self.planned.append(planned)
        self[planned.storage_key] = data
        return planned

    def plan(self, length: int, **fields: object) -> BuildPlan:
        """The plan of a recording of so many samples."""
        return BuildPlan(tuple(self.planned), length, **fields)  # type: ignore[arg-type]


def track(number: int = 1, identity: str = "ann", side: Side = "room") -> bytes:
    """A TRACK record."""
    return encode_track(
        number, 0, identity=identity, name=identity.title(), speaker=identity.title(), sid=f"TR_{identity}", side=side
    )


def audio(start: int, pcm: Pcm, number: int = 1) -> bytes:
    """An AUDIO record of the track `number`."""
    return encode_audio(number, 0, start, start + len(pcm), pcm)


def level(value: int, count: int) -> Pcm:
    """So many samples of one value."""
    return np.full(count, value, dtype=np.int16)


def noise(seed: int, count: int) -> Pcm:
    """Loud and white."""
    return np.random.default_rng(seed).integers(-32_768, 32_768, count).astype(np.int16)
