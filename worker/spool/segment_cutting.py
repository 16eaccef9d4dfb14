"""Cuts out of a sealed segment what may not be kept, on its way to the storage or in its file on the disk."""

import os
from collections.abc import Sequence

from audio.ranges import Range
from audio.segments.segments import RecordKind, SegmentKey, cut_after, header_alone, read_segment, segment_key
from worker.clock.pause_ranges import END_OF_TIME, overlaps
from worker.spool.spool_folder import CUT_SUFFIX
from worker.spool.spool_writer import SealedSegment, put_in_place


def cut_segment(
    data: bytes, key: SegmentKey, end_sample: int | None, cuts: Sequence[Range] = ()
) -> tuple[bytes, SegmentKey]:
    """The segment without what lies at or after `end_sample` or in a cut, and its key.

    Where nothing is left it is a header: a number without an object would look like one that the storage lost.
    The result depends on the arguments alone, so two processes that cut the same segment store the same object.
    """
    too_late = end_sample is not None and (key.last_sample > end_sample or not key.has_audio)
    if not too_late and not overlaps(key.first_sample, key.last_sample, cuts):
        return data, key
    data = cut_after(data, END_OF_TIME if end_sample is None else end_sample, cuts)
    if all(record.kind == RecordKind.TRACK for record in read_segment(data).records):
        data = header_alone(data)
    return data, segment_key(data, key.sequence)


def rewrite_segment(segment: SealedSegment, cuts: Sequence[Range]) -> SealedSegment:
    """Erase the cuts from a segment's file, which gets the name of what is left. Blocking.

    Raises:
        OSError: the file is as it was.
    """
    data, key = cut_segment(segment.path.read_bytes(), segment.key, None, cuts)
    if key == segment.key:
        return segment
    temporary = segment.path.with_suffix(CUT_SUFFIX)
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    final = put_in_place(temporary, key)
    segment.path.unlink(missing_ok=True)
    return SealedSegment(final, key)
