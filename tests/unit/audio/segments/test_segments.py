"""Records survive the way to bytes and back, and whatever cut the bytes off."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.segments.segments import (
    RecordKind,
    SegmentCorrupt,
    SegmentHeader,
    SegmentRecord,
    cut_after,
    encode_absence,
    encode_audio,
    encode_gap,
    encode_header,
    encode_track,
    read_segment,
    segment_key,
)

HEADER = encode_header("ses_1", 3, "owner-1", 480)


def ramp(count: int, start: int = 0) -> np.ndarray:
    """Samples that tell their position."""
    return (np.arange(start, start + count) % 30_000).astype(np.int16)


def audio(start: int, count: int, track: int = 1, sequence: int = 0) -> bytes:
    return encode_audio(track, sequence, start, start + count, ramp(count, start))


def plain(record: SegmentRecord) -> tuple[object, ...]:
    """A record to compare: its payload as bytes."""
    return (*record[:6], bytes(record.payload))


def positions(data: bytes) -> list[int]:
    """All sample positions that a segment holds."""
    records = read_segment(data).records
    return [
        position
        for record in records
        if record.kind == RecordKind.AUDIO
        for position in range(record.start_sample, record.end_sample)
    ]


# Not every character: Hypothesis needs seconds for its first table of them all.
texts = st.text(st.sampled_from('aZ0 "\\\n\0é漢\U0001f600\ud83d'), max_size=8)


@st.composite
def record_bytes(draw: st.DrawFn) -> bytes:
    """One record of any kind."""
    track, sequence = draw(st.integers(0, 65_535)), draw(st.integers(0, 2**32 - 1))
    start, arrival = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**40))
    kind = draw(st.sampled_from(RecordKind))
    if kind == RecordKind.AUDIO:
        return encode_audio(track, sequence, start, arrival, ramp(draw(st.integers(0, 40)), start % 1000))
    if kind == RecordKind.GAP:
        return encode_gap(sequence, draw(texts), start, draw(st.integers(0, 2**32 - 1)))
    if kind == RecordKind.ABSENCE:
        return encode_absence(sequence, start, draw(st.integers(0, 2**32 - 1)))
    return encode_track(track, sequence, identity=draw(texts), name=draw(texts), sid=draw(texts), side="room")


segments = st.lists(record_bytes(), max_size=6)


def test_a_header_comes_back() -> None:
    """Session, epoch, owner, rate and place of a segment without records."""
    segment = read_segment(HEADER)

    assert segment.header == SegmentHeader("ses_1", 3, "owner-1", 48_000, 480)
    assert (segment.records, segment.valid_bytes, segment.torn) == ([], len(HEADER), False)


def test_records_come_back_as_written() -> None:
    """Each kind with its fields and payload."""
    track = encode_track(7, 1, identity="ann", name="Änn \ud83d", sid="TR_1", side="worker", arrival_sample=90)
    records = read_segment(
        HEADER
        + track
        + encode_audio(7, 2, 100, 350, ramp(240))
        + encode_gap(3, "gap.rejoin", 340, 960)
        + encode_absence(4, 1300, 480)
    ).records

    assert [record[:6] for record in records] == [
        (RecordKind.TRACK, 7, 1, 90, 90, 0),
        (RecordKind.AUDIO, 7, 2, 100, 350, 240),
        (RecordKind.GAP, 0, 3, 340, 0, 960),
        (RecordKind.ABSENCE, 0, 4, 1300, 0, 480),
    ]
    assert records[0].document == {
        "track": 7,
        "identity": "ann",
        "name": "Änn \ud83d",
        "sid": "TR_1",
        "side": "worker",
        "speaker": "",
    }
    assert records[1].pcm.tolist() == ramp(240).tolist()
    assert records[2].document == {"code": "gap.rejoin"}


@settings(max_examples=60)
@given(written=segments, data=st.data())
def test_any_truncation_keeps_the_whole_records_before_it(written: list[bytes], data: st.DataObject) -> None:
    """A kill -9 or a full disk costs the record it hit, nothing before."""
    whole = HEADER + b"".join(written)
    size = data.draw(st.integers(len(HEADER), len(whole)))
    ends = [len(HEADER) + sum(map(len, written[:count])) for count in range(len(written) + 1)]
    kept = sum(end <= size for end in ends) - 1

    segment = read_segment(whole[:size])

    assert list(map(plain, segment.records)) == list(map(plain, read_segment(whole).records[:kept]))
    assert (segment.valid_bytes, segment.torn) == (ends[kept], size != ends[kept])


@settings(max_examples=60)
@given(written=st.lists(record_bytes(), min_size=1, max_size=6), data=st.data())
def test_a_flipped_bit_ends_the_segment_at_its_record(written: list[bytes], data: st.DataObject) -> None:
    """Whatever bit it is, nothing damaged is handed out."""
    whole = bytearray(HEADER + b"".join(written))
    at = data.draw(st.integers(len(HEADER), len(whole) - 1))
    ends = [len(HEADER) + sum(map(len, written[:count])) for count in range(len(written) + 1)]
    whole[at] ^= 1 << data.draw(st.integers(0, 7))

    segment = read_segment(whole)

    assert segment.torn
    assert segment.valid_bytes == max(end for end in ends if end <= at)


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\xff" * 4096, b"P"])
def test_a_tail_of_rubbish_is_torn(tail: bytes) -> None:
    """Blocks that a file system had allocated but never written are no records."""
    segment = read_segment(HEADER + audio(0, 10) + tail)

    assert (len(segment.records), segment.torn) == (1, True)


@pytest.mark.parametrize("size", range(len(HEADER)))
def test_a_header_cut_anywhere_is_corrupt(size: int) -> None:
    """Without its header a segment says nothing."""
    with pytest.raises(SegmentCorrupt):
        read_segment(HEADER[:size])


@pytest.mark.parametrize("at", [0, 8, 12, 16, 25, len(HEADER) - 2])
def test_a_damaged_header_is_corrupt(at: int) -> None:
    """Magic, version, length, sum and JSON are all checked."""
    damaged = bytearray(HEADER)
    damaged[at] ^= 0x40

    with pytest.raises(SegmentCorrupt):
        read_segment(damaged)


@pytest.mark.parametrize("pcm", [np.zeros(4, dtype=np.int32), np.zeros((4, 1), dtype=np.int16)])
def test_other_samples_than_mono_int16_are_not_encoded(pcm: np.ndarray) -> None:
    """A wrong array is a programming error, said at once."""
    with pytest.raises(ValueError, match="audio is int16"):
        encode_audio(1, 0, 0, 0, pcm)


def test_a_field_out_of_range_is_refused() -> None:
    """A track number is 16 bits."""
    with pytest.raises(ValueError, match="out of range"):
        encode_audio(65_536, 0, 0, 0, ramp(1))


def test_a_cut_leaves_no_sample_past_the_stamp_or_in_a_pause() -> None:
    """Paused audio and what came after the end leave the segment."""
    data = HEADER + audio(0, 100) + audio(100, 100) + audio(200, 100) + audio(300, 100)

    cut = cut_after(data, 310, [(150, 160), (90, 120), (260, 900)])

    assert positions(cut) == [*range(90), *range(120, 150), *range(160, 260)]


def test_a_cut_keeps_tracks_and_clips_gaps() -> None:
    """Names stay known; a gap says only what is still true."""
    track = encode_track(1, 0, identity="a", name="", sid="", side="room", arrival_sample=5000)
    data = HEADER + track + encode_gap(1, "gap.rejoin", 50, 1000) + encode_gap(2, "gap.rejoin", 700, 10)
    ends = [(120, "in a cut"), (300, "told"), (600, "after the end")]
    data += b"".join(encode_gap(3, "gap.rejoin", start, 0) for start, _ in ends)

    records = read_segment(cut_after(data, 500, [(100, 200)])).records

    assert [(record.kind, record.start_sample, record.num_samples) for record in records] == [
        (RecordKind.TRACK, 5000, 0),
        (RecordKind.GAP, 50, 50),
        (RecordKind.GAP, 200, 300),
        (RecordKind.GAP, 300, 0),
    ]


@settings(max_examples=60)
@given(
    written=segments,
    end=st.integers(-5, 3000),
    cuts=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=3),
    starts=st.lists(st.tuples(st.integers(0, 2900), st.integers(0, 100)), max_size=5),
)
def test_any_cut_keeps_exactly_the_other_samples(
    written: list[bytes], end: int, cuts: list[tuple[int, int]], starts: list[tuple[int, int]]
) -> None:
    """What stays is what neither rule forbids, with the same values and in the same order."""
    data = HEADER + b"".join(audio(start, count) for start, count in starts)
    wanted = [p for p in positions(data) if p < end and not any(a <= p < b for a, b in cuts)]

    cut = cut_after(data, end, cuts)
    samples = [value for record in read_segment(cut).records for value in record.pcm.tolist()]

    assert (positions(cut), samples) == (wanted, wanted)


def test_a_cut_that_cuts_nothing_drops_only_the_torn_tail() -> None:
    """The same bytes come out, so the rescue of a whole segment changes nothing."""
    data = HEADER + encode_track(1, 0, identity="a", name="b", sid="c", side="room") + audio(0, 100)

    assert cut_after(data + b"torn", 10_000) == data


def test_a_key_spans_the_audio_of_all_records() -> None:
    """First and last over all tracks, in whatever order they came."""
    data = HEADER + audio(900, 50, track=2) + audio(700, 100) + encode_gap(1, "gap.rejoin", 0, 5000)

    key = segment_key(data, 12)

    assert (key.first_sample, key.last_sample) == (700, 950)
    assert (key.epoch, key.owner, key.sequence) == (3, "owner-1", 12)
    assert (key.crc32, key.size_bytes) == (zlib.crc32(data), len(data))


@given(identity=texts, samples=st.integers(0, 9))
def test_every_record_begins_at_an_even_place(identity: str, samples: int) -> None:
    """So numpy reads samples where they lie, whatever the texts before them are; an empty record is one too."""
    track = encode_track(1, 0, identity=identity, name="", sid="", side="room")
    gap = encode_gap(0, identity, 0, 1)
    written = HEADER + track + gap + encode_audio(1, 1, 0, 0, ramp(samples)) + encode_audio(1, 2, 9, 9, ramp(0))
    records = read_segment(written).records

    assert (len(encode_header(identity, 1, "o", 0)) % 2, len(track) % 2, len(gap) % 2) == (0, 0, 0)
    assert [record.sequence for record in records] == [0, 0, 1, 2]
    assert records[0].arrival_sample == 0


def test_a_key_without_audio_is_empty_where_the_segment_was_made() -> None:
    """A segment of silence has first == last."""
    key = segment_key(HEADER, 1)

    assert (key.first_sample, key.last_sample, key.has_audio) == (480, 480, False)
    assert segment_key(encode_header("ses_1", 3, "owner-1", 0), 1).first_sample == 0
