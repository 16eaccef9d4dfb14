"""A segment of a plan as it is read back from storage: its records, and from where on something of it is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

from audio.pcm import SAMPLE_RATE, SAMPLES_PER_FRAME
from audio.segments.plan import PlannedSegment
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import RecordKind, Segment, SegmentCorrupt, SegmentRecord, read_segment

_STILL_HEARD_SAMPLES = SAMPLE_RATE  # a track whose last record ends earlier than that before the others' has ended


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What there is of a segment.

    Attributes:
        lost_from: the first sample that may be missing; None: the segment is what its key says. The end of the segment
            when it is damaged, but no audio is missing.
    """

    records: Sequence[SegmentRecord]
    lost_from: int | None = None


def read_back(planned: PlannedSegment, read: Callable[[str], bytes]) -> ReadBack:
    """What is good of a segment; KeyError or FileNotFoundError from `read` mean that it is missing."""
    key = planned.key
    try:
        data = read(planned.storage_key)
        segment = read_segment(data)
    except (KeyError, FileNotFoundError, SegmentCorrupt):
        return ReadBack((), key.first_sample)
    return ReadBack(segment.records, None if is_whole(data, key) else _reached(segment, key))


def is_whole(data: bytes, key: SegmentKey) -> bool:
    """Whether these are the bytes that the key says."""
    return len(data) == key.size_bytes and crc32(data) == key.crc32


def _reached(segment: Segment, key: SegmentKey) -> int:
    """Up to which sample nothing is missing in a damaged segment; before its end whenever records were lost.

    Records lie in order of arrival, and each track goes on where it was: what was lost begins where the track ends that
    is the least far, of those that were still heard.
    """
    ends = {record.track: record.end_sample for record in segment.records if record.kind == RecordKind.AUDIO}
    furthest = max(ends.values(), default=key.first_sample)
    if furthest >= key.last_sample and segment.valid_bytes >= key.size_bytes:
        return key.last_sample  # it has all records, and something after them
    nearest = min((end for end in ends.values() if end > furthest - _STILL_HEARD_SAMPLES), default=key.first_sample)
    return max(min(nearest, key.last_sample - SAMPLES_PER_FRAME), key.first_sample)
