"""The spool's record format: bytes in, bytes out.

A segment is a header and then records, little-endian, each record good or bad on its own:

    header   magic "PARLEYSG", version u16, 2 bytes 0, JSON length u32, crc32 of the JSON u32, JSON
    record   kind u8, 1 byte 0, track u16, sequence u32, payload bytes u32, count u32,
             start_sample i64, arrival_sample i64, crc32 u32 (of all before it and the payload), payload

Whatever a kill -9 or a full disk left behind, the records before the first bad one are the segment.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Literal, NamedTuple

from audio.pcm import SAMPLE_RATE, Pcm
from audio.ranges import Range, kept_ranges, merged_ranges
from audio.segments.segment_key import SegmentKey

__all__ = [
    "RecordKind",
    "Segment",
    "SegmentCorrupt",
    "SegmentHeader",
    "SegmentKey",
    "SegmentRecord",
    "Side",
    "cut_after",
    "encode_absence",
    "encode_audio",
    "encode_gap",
    "encode_header",
    "encode_track",
    "header_alone",
    "read_segment",
    "segment_key",
]

Side = Literal["room", "worker"]
"""Who made a track's sound: somebody in the room, or the worker itself."""

_MAGIC = b"PARLEYSG"
_VERSION = 1
_HEADER = struct.Struct("<8sH2xII")
_RECORD = struct.Struct("<BxHIIIqqI")
_CRC_OFFSET = _RECORD.size - 4
_END_OF_TIME = 1 << 62


class SegmentCorrupt(ValueError):  # noqa: N818 - named for what it says about the segment
    """The bytes don't start with a whole segment header of a known version."""


class RecordKind(IntEnum):
    """What a record's payload is."""

    TRACK = 1
    """JSON {"track", "identity", "name", "sid", "side"}."""
    AUDIO = 2
    """`count` samples of int16 PCM."""
    GAP = 3
    """JSON {"code"}, of one participant {"code", "identity"}; the gap is [start_sample, start_sample + count). With
    "lasts" it had not ended when it was written."""
    ABSENCE = 4
    """No payload; nobody was in the room for [start_sample, start_sample + count)."""


class SegmentRecord(NamedTuple):
    """One record; `payload` is a view into the bytes that were read. A tuple, for there are many of them."""

    kind: int
    track: int
    sequence: int
    start_sample: int
    arrival_sample: int
    num_samples: int
    payload: memoryview

    @property
    def end_sample(self) -> int:
        """The position after the last sample."""
        return self.start_sample + self.num_samples

    @property
    def pcm(self) -> Pcm:
        """The samples of an AUDIO record, shape (num_samples,), read-only where the bytes are."""
        import numpy as np  # who only moves segments has no need of it

        return np.frombuffer(self.payload, dtype="<i2")

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object of a TRACK or GAP record."""
        document: dict[str, Any] = json.loads(bytes(self.payload))
        return document


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Whose segment this is: session, epoch and owner of the run; `created_sample` is where the clock stood."""

    session_id: str
    epoch: int
    owner: str
    sample_rate: int
    created_sample: int


@dataclass(frozen=True, slots=True)
class Segment:
    """What could be read: `valid_bytes` is where the good part ends, `torn` whether anything lies past that."""

    header: SegmentHeader
    records: list[SegmentRecord]
    valid_bytes: int
    torn: bool


def encode_header(
    session_id: str, epoch: int, owner: str, created_sample: int, sample_rate: int = SAMPLE_RATE
) -> bytes:
    """Return the bytes that a segment file starts with."""
    payload = _encode_json(asdict(SegmentHeader(session_id, epoch, owner, sample_rate, created_sample)))
    return _HEADER.pack(_MAGIC, _VERSION, len(payload), zlib.crc32(payload)) + payload


def encode_audio(track: int, sequence: int, start_sample: int, arrival_sample: int, pcm: Pcm) -> bytes:
    """Return an AUDIO record of samples of shape (n,). Raises ValueError if they aren't int16 of one dimension."""
    if pcm.dtype != "int16" or pcm.ndim != 1:
        raise ValueError(f"audio is int16 of shape (n,), not {pcm.dtype} of shape {pcm.shape}")
    payload = pcm.astype("<i2", copy=False).tobytes()
    return _encode(RecordKind.AUDIO, track, sequence, start_sample, arrival_sample, len(pcm), payload)


def encode_track(
    track: int,
    sequence: int,
    *,
    identity: str,
    name: str,
    sid: str,
    side: Side,
    speaker: str = "",
    arrival_sample: int = 0,
) -> bytes:
    """Return a TRACK record; it belongs before the track's first audio in *every* segment that holds any of it.

    Args:
        name: the track's own.
        speaker: the participant's name to show.
    """
    label = {"track": track, "identity": identity, "name": name, "sid": sid, "side": side, "speaker": speaker}
    payload = _encode_json(label)
    return _encode(RecordKind.TRACK, track, sequence, arrival_sample, arrival_sample, 0, payload)


def encode_gap(
    sequence: int,
    code: str,
    start_sample: int,
    count: int,
    *,
    identity: str | None = None,
    lasts: bool = False,
    arrival_sample: int = 0,
) -> bytes:
    """Return a GAP record for `count` samples (at most 24 hours) from `start_sample` on.

    It speaks for all tracks of a participant; without an identity for all tracks.

    Args:
        lasts: the gap had not ended by then; another record of the same kind says when it has.
    """
    document: dict[str, Any] = {"code": code} if identity is None else {"code": code, "identity": identity}
    payload = _encode_json({**document, "lasts": True} if lasts else document)
    return _encode(RecordKind.GAP, 0, sequence, start_sample, arrival_sample, count, payload)


def encode_absence(sequence: int, start_sample: int, count: int, *, arrival_sample: int = 0) -> bytes:
    """Return an ABSENCE record for `count` samples (at most 24 hours) from `start_sample` on."""
    return _encode(RecordKind.ABSENCE, 0, sequence, start_sample, arrival_sample, count, b"")


def read_segment(data: bytes | bytearray | memoryview) -> Segment:
    """Read records up to the end or the first that is cut off or damaged; records hold views into `data`.

    Raises SegmentCorrupt if the header itself is cut off, damaged or of another version.
    """
    view = memoryview(data)
    header, offset = _read_header(view)
    records: list[SegmentRecord] = []
    for record, end in _good_records(view, offset):
        records.append(record)
        offset = end
    return Segment(header, records, offset, offset < len(view))


def cut_after(data: bytes | bytearray | memoryview, end_sample: int, cuts: Sequence[Range] = ()) -> bytes:
    """Rewrite a segment without any sample at or after `end_sample` or inside one of the `cuts` [start, end).

    TRACK records stay, GAP and ABSENCE records are clipped alike, a torn tail is dropped. Raises SegmentCorrupt like
    `read_segment`.
    """
    view = memoryview(data)
    segment = read_segment(view)
    unwanted = merged_ranges([*cuts, (end_sample, _END_OF_TIME)])
    parts = [header_alone(view)]
    for record in segment.records:
        parts.extend(_cut_record(record, unwanted))
    return b"".join(parts)


def header_alone(data: bytes | bytearray | memoryview) -> bytes:
    """Return a segment's header without any record. Raises SegmentCorrupt like `read_segment`."""
    view = memoryview(data)
    return bytes(view[: _read_header(view)[1]])


def segment_key(data: bytes | bytearray | memoryview, sequence: int) -> SegmentKey:
    """Return the key under which a sealed segment is stored, made from its own bytes.

    A torn tail is part of size and crc32; cut it off first with `cut_after` or at `valid_bytes`. Raises SegmentCorrupt
    like `read_segment`.
    """
    segment = read_segment(data)
    audio = [record for record in segment.records if record.kind == RecordKind.AUDIO and record.num_samples]
    first = min((record.start_sample for record in audio), default=max(segment.header.created_sample, 0))
    last = max((record.end_sample for record in audio), default=first)
    header = segment.header
    return SegmentKey(header.epoch, header.owner, sequence, first, last, zlib.crc32(data), memoryview(data).nbytes)


def _encode_json(document: Mapping[str, object]) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")
    # An even length keeps the samples of every record aligned for numpy.
    return text + b" " * (len(text) % 2)


def _encode(
    kind: int, track: int, sequence: int, start_sample: int, arrival_sample: int, count: int, payload: bytes
) -> bytes:
    try:
        fields = _RECORD.pack(kind, track, sequence, len(payload), count, start_sample, arrival_sample, 0)[:_CRC_OFFSET]
    except struct.error as error:
        raise ValueError(f"a record's field is out of range: {error}") from None
    return b"".join((fields, zlib.crc32(payload, zlib.crc32(fields)).to_bytes(4, "little"), payload))


def _read_header(view: memoryview) -> tuple[SegmentHeader, int]:
    if len(view) < _HEADER.size:
        raise SegmentCorrupt("the segment's header is cut off")
    magic, version, json_bytes, crc = _HEADER.unpack_from(view)
    end = _HEADER.size + json_bytes
    payload = view[_HEADER.size : end]
    if magic != _MAGIC or version != _VERSION:
        raise SegmentCorrupt("not a segment of a known version")
    if len(payload) < json_bytes or zlib.crc32(payload) != crc:
        raise SegmentCorrupt("the segment's header is damaged")
    try:
        return SegmentHeader(**json.loads(bytes(payload))), end
    except (ValueError, TypeError):
        raise SegmentCorrupt("the segment's header is not ours") from None


def _good_records(view: memoryview, offset: int) -> Iterator[tuple[SegmentRecord, int]]:
    size = len(view)
    unpack, crc32, audio = _RECORD.unpack_from, zlib.crc32, int(RecordKind.AUDIO)
    while offset + _RECORD.size <= size:
        kind, track, sequence, payload_bytes, count, start_sample, arrival_sample, crc = unpack(view, offset)
        payload_at = offset + _RECORD.size
        end = payload_at + payload_bytes
        if end > size:
            return
        payload = view[payload_at:end]
        if crc32(payload, crc32(view[offset : offset + _CRC_OFFSET])) != crc:
            return
        if kind == audio and payload_bytes != 2 * count:
            return
        yield SegmentRecord(kind, track, sequence, start_sample, arrival_sample, count, payload), end
        offset = end


def _cut_record(record: SegmentRecord, unwanted: Sequence[Range]) -> Iterator[bytes]:
    if record.kind == RecordKind.TRACK:
        yield _encode(*record[:6], bytes(record.payload))
        return
    if record.kind == RecordKind.GAP and not record.num_samples:  # it says that one has ended
        if any(kept_ranges(record.start_sample, record.start_sample + 1, unwanted)):
            yield _encode(*record[:6], bytes(record.payload))
        return
    for start, end in kept_ranges(record.start_sample, record.end_sample, unwanted):
        payload = record.payload
        if record.kind == RecordKind.AUDIO:
            payload = payload[2 * (start - record.start_sample) : 2 * (end - record.start_sample)]
        yield _encode(
            record.kind, record.track, record.sequence, start, record.arrival_sample, end - start, bytes(payload)
        )
