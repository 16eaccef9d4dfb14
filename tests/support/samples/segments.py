"""What uploaded segments hold, without building anything from them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE
from audio.ranges import merged_ranges
from audio.segments.segments import RecordKind, read_segment


def pcm_of(segments: list[tuple[str, bytes]]) -> NDArray[np.int16]:
    """All tracks of the segments, added up, from sample 0 on; shape (n,)."""
    records = [
        record for _, data in segments for record in read_segment(data).records if record.kind == RecordKind.AUDIO
    ]
    line = np.zeros(max((record.end_sample for record in records), default=0), np.int32)
    for record in records:
        line[record.start_sample : record.end_sample] += record.pcm
    return np.clip(line, -32768, 32767).astype(np.int16)


def gaps_of(segments: list[tuple[str, bytes]]) -> list[str]:
    """The codes of all gaps."""
    return [
        record.document["code"]
        for _, data in segments
        for record in read_segment(data).records
        if record.kind == RecordKind.GAP
    ]


def absences_of(segments: list[tuple[str, bytes]]) -> list[tuple[float, float]]:
    """When nobody was in the room, in seconds of the session."""
    told = merged_ranges(
        (record.start_sample, record.end_sample)
        for _, data in segments
        for record in read_segment(data).records
        if record.kind == RecordKind.ABSENCE
    )
    return [(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in told]


def stretches_of(segments: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """All gaps as a recording lists them, except that those that touch are apart."""
    return [
        {
            **record.document,
            "start_ms": record.start_sample * 1000 // SAMPLE_RATE,
            "end_ms": record.end_sample * 1000 // SAMPLE_RATE,
        }
        for _, data in segments
        for record in read_segment(data).records
        if record.kind == RecordKind.GAP
    ]


def labels_of(segments: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """What the segments say of their tracks."""
    return [
        record.document
        for _, data in segments
        for record in read_segment(data).records
        if record.kind == RecordKind.TRACK
    ]


def identities_of(segments: list[tuple[str, bytes]]) -> set[str]:
    """The participants whose tracks were recorded."""
    return {label["identity"] for label in labels_of(segments)}
