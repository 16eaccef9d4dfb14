"""However the audio was cut into segments, the recording is what one addition of it all would give."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.building.build import BuildPlan, BuildResult, Gap, build_recording
from audio.building.limiter import limited
from audio.building.recording_document import recording_document
from audio.building.wav import WAV_LIMIT_BYTES, container_format
from audio.segments.segments import encode_absence, encode_gap, encode_header
from tests.support.samples.stored_segments import OWNER, StoredSegments, audio, level, noise, track

SECOND = 48_000


class Storage(StoredSegments):
    """Segments, and the recording of them."""

    def build(self, length: int, **fields: object) -> tuple[np.ndarray, BuildResult]:
        """Build into memory; return the samples, shape (channels, length), and the result."""
        file = io.BytesIO()
        result = build_recording(self.plan(length, **fields), self.__getitem__, file)
        file.seek(0)
        return soundfile.read(file, dtype="int16", always_2d=True)[0].T, result


def test_tracks_are_added_at_unity_gain() -> None:
    """Mono: everybody as loud as they were, silence elsewhere."""
    storage = Storage()
    storage.store(track(1), track(2, "bob"), audio(10, level(1000, 50)), audio(40, level(300, 40), 2))

    samples, result = storage.build(100)

    expected = [0] * 10 + [1000] * 30 + [1300] * 20 + [300] * 20 + [0] * 20
    assert samples.tolist() == [expected]
    assert (result.num_channels, result.sample_rate, result.length_samples) == (1, 48_000, 100)
    assert result.peak_dbfs == pytest.approx(-28.03)
    assert (result.gaps, result.damaged_segments) == ([], [])


def test_stereo_has_the_room_left_and_the_worker_right() -> None:
    """The sine is what the worker made; an unknown track is the room's."""
    storage = Storage()
    storage.store(track(1), track(2, "sine", "worker"), audio(0, level(5, 4)), audio(2, level(7, 4), 2))
    storage.store(audio(6, level(9, 2), number=33))

    samples, _ = storage.build(8, layout="stereo")

    assert samples.tolist() == [[5, 5, 5, 5, 0, 0, 9, 9], [0, 0, 7, 7, 7, 7, 0, 0]]


def test_the_file_has_exactly_the_planned_length() -> None:
    """Silence where nothing is, nothing past the end, however many seconds lie between."""
    storage = Storage()
    storage.store(audio(3 * SECOND - 2, level(1, 4)))

    for length in (0, 1, SECOND, 3 * SECOND, 3 * SECOND + 1, 5 * SECOND + 7):
        samples, result = storage.build(length)
        expected = np.zeros(5 * SECOND + 7, dtype=np.int16)
        expected[3 * SECOND - 2 : 3 * SECOND + 2] = 1
        assert np.array_equal(samples[0], expected[:length])
        assert result.length_samples == length


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[tuple[int, int, np.ndarray]], Storage]:
    """Audio of up to three tracks, and any split of it into records and segments."""
    takes: list[tuple[int, int, np.ndarray]] = []
    storage = Storage()
    records: list[bytes] = []
    for number in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, 2 * SECOND))
        for _ in range(draw(st.integers(1, 3))):
            pcm = noise(draw(st.integers(0, 999)), draw(st.integers(1, 70_000)))
            takes.append((number, position, pcm))
            splits = sorted(draw(st.lists(st.integers(0, len(pcm)), max_size=4)))
            for start, end in zip([0, *splits], [*splits, len(pcm)], strict=True):
                records.append(audio(position + start, pcm[start:end], number))
            position += len(pcm) + draw(st.integers(0, SECOND))
    labels = [track(0), track(1, "bob", "worker"), track(2, "eve")]
    while records:
        taken = draw(st.integers(1, len(records)))
        order = draw(st.permutations(records[:taken]))
        storage.store(*labels, *order)
        records = records[taken:]
    return takes, storage


@settings(max_examples=40, deadline=None)
@given(
    recording=recordings(),
    layout=st.sampled_from(["mono", "stereo"]),
    length=st.integers(0, 4 * SECOND),
    cuts=st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(0, 3 * SECOND)), max_size=2),
    shuffle=st.randoms(use_true_random=False),
)
def test_any_split_gives_what_one_mix_gives(
    recording: tuple[list[tuple[int, int, np.ndarray]], Storage],
    layout: str,
    length: int,
    cuts: list[tuple[int, int]],
    shuffle: object,
) -> None:
    """Records, segments and their order in the plan leave no trace in the samples."""
    takes, storage = recording
    expected = np.zeros((2 if layout == "stereo" else 1, 12 * SECOND), dtype=np.int32)
    for number, start, pcm in takes:
        expected[1 if layout == "stereo" and number == 1 else 0, start : start + len(pcm)] += pcm
    for start, end in cuts:
        expected[:, start:end] = 0
    shuffle.shuffle(storage.planned)  # type: ignore[attr-defined]

    samples, result = storage.build(length, layout=layout, cuts=tuple(cuts))

    assert np.array_equal(samples, limited(expected[:, :length]))
    assert result.damaged_segments == []


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    """On disk or in memory; the digest is the file's."""
    storage = Storage()
    storage.store(track(), audio(5, noise(1, 100_000)), encode_gap(0, "gap.rejoin", 30, 40))
    plan = storage.plan(120_000, layout="stereo", cuts=((7, 9),), gaps=(Gap(1, 2, "gap.worker_lost"),))

    on_disk = build_recording(plan, storage.__getitem__, tmp_path / "conversation.wav")
    in_memory = build_recording(plan, storage.__getitem__, file := io.BytesIO())

    assert (tmp_path / "conversation.wav").read_bytes() == file.getvalue()
    assert on_disk == in_memory
    assert on_disk.sha256_hex == hashlib.sha256(file.getvalue()).hexdigest()
    assert on_disk.size_bytes == len(file.getvalue()) == 44 + 480_000


def test_a_higher_epoch_wins_from_its_first_sample() -> None:
    """A replaced worker's audio ends where its successor's begins, whichever tracks they are."""
    storage = Storage()
    storage.store(track(), audio(0, level(1, 100)), audio(100, level(1, 100)), epoch=1)
    storage.store(track(5), audio(150, level(2, 20), number=5), epoch=3)
    storage.store(track(), audio(120, level(4, 10)), audio(140, level(4, 80)), epoch=2)

    samples, result = storage.build(240)

    expected = [1] * 120 + [4] * 10 + [0] * 10 + [4] * 10 + [2] * 20 + [0] * 70
    assert samples[0].tolist() == expected
    assert [(one["identity"], one["first_sample"], one["samples"]) for one in result.tracks] == [("ann", 0, 160)]


def test_a_zombie_that_recorded_on_for_long_hides_nothing() -> None:
    """Segments of a lower epoch from long after its end don't make the build skip its successor."""
    storage = Storage()
    storage.store(audio(0, level(1, SECOND)), epoch=1)
    storage.store(audio(8 * SECOND, level(1, SECOND)), epoch=1)
    storage.store(audio(2 * SECOND, level(2, SECOND)), epoch=2)

    assert storage.build(9 * SECOND)[0][0, ::SECOND].tolist() == [1, 0, 2, 0, 0, 0, 0, 0, 0]


def test_a_higher_epoch_without_audio_silences_nobody() -> None:
    """A successor that heard nothing has no first sample."""
    storage = Storage()
    storage.store(audio(0, level(1, 100)), epoch=1)
    storage.store(track(), epoch=2)

    assert storage.build(100)[0].tolist() == [[1] * 100]


def test_a_missing_segment_is_a_gap_and_the_rest_is_built() -> None:
    """Storage lost one object: silence there, its time in the gaps, the segment named."""
    storage = Storage()
    storage.store(audio(0, level(1, SECOND)))
    lost = storage.store(audio(SECOND, level(2, SECOND)))
    storage.store(audio(2 * SECOND, level(3, SECOND)))
    del storage[lost.storage_key]

    samples, result = storage.build(3 * SECOND)

    assert samples[0, ::SECOND].tolist() == [1, 0, 3]
    assert result.gaps == [{"start_ms": 1000, "end_ms": 2000, "code": "gap.storage"}]
    assert result.damaged_segments == [lost.storage_key]


def test_a_file_that_is_not_there_is_a_gap_too(tmp_path: Path) -> None:
    """What a local directory raises for a missing object."""
    storage = Storage()
    storage.store(audio(0, level(1, SECOND)))

    def read(storage_key: str) -> bytes:
        return (tmp_path / storage_key).read_bytes()

    result = build_recording(storage.plan(SECOND), read, tmp_path / "out.wav")

    assert result.gaps == [{"start_ms": 0, "end_ms": 1000, "code": "gap.storage"}]


def test_a_storage_error_ends_the_build() -> None:
    """Unreachable storage isn't a hole in the recording: the build is tried again."""

    def read(storage_key: str) -> bytes:
        raise TimeoutError(storage_key)

    storage = Storage()
    storage.store(audio(0, level(1, 10)))
    with pytest.raises(TimeoutError):
        build_recording(storage.plan(10), read, io.BytesIO())


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_segment_is_used_up_to_the_damage(damage: str) -> None:
    """Good records stay, the rest of the segment's span is a gap."""
    storage = Storage()
    first, second = audio(0, level(1, SECOND)), audio(SECOND, level(2, SECOND))
    damaged = storage.store(first, second)
    data = bytearray(storage[damaged.storage_key])
    if damage == "cut":
        del data[-1]
    else:
        data[-5] ^= 1
    storage[damaged.storage_key] = bytes(data)

    samples, result = storage.build(2 * SECOND)

    assert samples[0, ::SECOND].tolist() == [1, 0]
    assert result.gaps == [{"start_ms": 1000, "end_ms": 2000, "code": "gap.storage"}]
    assert result.damaged_segments == [damaged.storage_key]


def test_a_segment_with_a_broken_header_is_a_gap() -> None:
    """Nothing in it can be trusted."""
    storage = Storage()
    broken = storage.store(audio(480, level(1, 480)))
    storage[broken.storage_key] = b"nothing"

    samples, result = storage.build(SECOND)

    assert not samples.any()
    assert result.gaps == [{"start_ms": 10, "end_ms": 20, "code": "gap.storage"}]


def test_a_segment_that_is_not_what_its_key_says_is_damaged() -> None:
    """Other bytes under a known name: what they say within the key's span is used, nothing else."""
    storage = Storage()
    planned = storage.store(audio(3 * SECOND + 5, level(1, 10)))
    storage[planned.storage_key] = encode_header("ses_1", 1, OWNER, 0) + audio(5, level(7, 3 * SECOND + 5))

    samples, result = storage.build(4 * SECOND)

    assert np.flatnonzero(samples[0]).tolist() == list(range(3 * SECOND + 5, 3 * SECOND + 10))
    assert result.damaged_segments == [planned.storage_key]


def test_a_segment_rescued_twice_is_heard_once() -> None:
    """Two versions of one segment aren't added up; the longer one counts."""
    storage = Storage()
    storage.store(audio(0, level(100, 60)), sequence=4)
    storage.store(audio(0, level(100, 80)), sequence=4)

    assert storage.build(100)[0].tolist() == [[100] * 80 + [0] * 20]


def test_gaps_of_all_sources_are_merged_and_sorted() -> None:
    """From records, plan and pauses; one of what overlaps or touches and is of one kind; clipped to file and epoch."""
    storage = Storage()
    gap = encode_gap(0, "gap.concealed", 4800, 4800)
    storage.store(encode_gap(3, "gap.concealed", 4800, 9600, identity="ann"))
    storage.store(gap, encode_gap(1, "gap.concealed", 9000, 4800), encode_gap(2, "gap.rejoin", 90_000, 99_000))
    storage.store(audio(91_200, level(1, 10)), epoch=2)

    result = storage.build(
        96_000,
        cuts=((48_000, 52_800), (52_000, 57_600)),
        gaps=(Gap(-50, 49, "gap.worker_lost"), Gap(57_600, 62_400, "gap.paused"), Gap(99_000, 99_999, "gap.rejoin")),
    )[1]

    assert [tuple(one.values()) for one in result.gaps] == [
        (0, 2, "gap.worker_lost"),
        (100, 288, "gap.concealed"),
        (100, 300, "gap.concealed", "ann"),
        (1000, 1300, "gap.paused"),
        (1875, 1900, "gap.rejoin"),
    ]


def test_a_gap_that_lasted_when_its_run_was_killed_lasts_until_the_kill() -> None:
    """What the run could not write down any more is missing, too; a gap that had ended is as long as it was."""
    storage = Storage()
    lasting = {"ann": (0, 1000), "bob": (0, 1000), "eve": (0, 500)}
    storage.store(
        *(encode_gap(5, "gap.permission", *span, identity=who, lasts=True) for who, span in lasting.items()),
        encode_gap(6, "gap.permission", 1000, 0, identity="bob"),
        encode_gap(7, "gap.rejoin", 0, 1000),
        audio(0, level(1, 48_000)),
    )
    storage.store(encode_gap(6, "gap.permission", 1000, 0, identity="ann"), audio(799_000, level(1, 10)), epoch=2)

    def gaps_with(*unrecorded: Gap) -> list[tuple[object, ...]]:
        gaps = storage.build(800_000, gaps=unrecorded)[1].gaps
        return [tuple(one.values()) for one in gaps if one["code"] == "gap.permission"]

    written = [(0, 11, "gap.permission", "eve"), (0, 21, "gap.permission", "ann"), (0, 21, "gap.permission", "bob")]
    assert gaps_with() == written
    assert gaps_with(Gap(721_001, 799_000, "gap.worker_lost")) == written, "too late for this kill"
    assert gaps_with(Gap(48_000, 799_000, "gap.worker_lost", "ann")) == written, "others were heard"
    assert gaps_with(Gap(0, 48, "gap.storage"), Gap(48_000, 799_000, "gap.worker_lost")) == [
        (0, 21, "gap.permission", "bob"),
        (0, 1000, "gap.permission", "ann"),
        (0, 1000, "gap.permission", "eve"),
    ]


def test_tracks_tell_who_is_in_the_file_and_how_much() -> None:
    """Only what is in the file counts; a track that two runs recorded is one."""
    storage = Storage()
    storage.store(track(1), track(2, "bob"), audio(0, level(1, 9600)), audio(4800, level(1, 500), 2), epoch=1)
    storage.store(track(9), audio(9600, level(1, 9600), 9), epoch=2)

    tracks = storage.build(14_400, cuts=((0, 960),))[1].tracks

    ann = {"identity": "ann", "name": "Ann", "sid": "TR_ann", "side": "room"}
    bob = {"identity": "bob", "name": "Bob", "sid": "TR_bob", "side": "room"}
    assert tracks == [
        {**ann, "first_sample": 960, "samples": 13_440, "frames": 28},
        {**bob, "first_sample": 4800, "samples": 500, "frames": 1},
    ]


@pytest.mark.parametrize(
    ("length_samples", "num_channels", "expected"),
    [
        (12 * 3600 * SECOND, 1, "WAV"),
        (12 * 3600 * SECOND, 2, "RF64"),
        (WAV_LIMIT_BYTES // 2, 1, "WAV"),
        (WAV_LIMIT_BYTES // 2 + 1, 1, "RF64"),
        (WAV_LIMIT_BYTES // 4 + 1, 2, "RF64"),
    ],
)
def test_the_container_follows_from_the_planned_length(length_samples: int, num_channels: int, expected: str) -> None:
    """RF64 as soon as WAV's sizes might not hold it."""
    assert container_format(length_samples, num_channels) == expected


def test_a_long_recording_is_written_as_rf64(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is lowered here, so that the file needn't have 4 GiB."""
    monkeypatch.setattr("audio.building.wav.WAV_LIMIT_BYTES", 1000)
    storage = Storage()
    storage.store(audio(0, level(5, 501)))
    file = io.BytesIO()
    build_recording(storage.plan(501), storage.__getitem__, file)

    assert file.getvalue()[:4] == b"RF64"
    file.seek(0)
    assert soundfile.read(file, dtype="int16")[0].tolist() == [5] * 501


def test_a_place_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    """Callers know disk trouble by OSError, not by a library's name."""
    with pytest.raises(OSError, match="could not be written"):
        build_recording(Storage().plan(10), dict[str, bytes]().__getitem__, tmp_path / "no" / "such.wav")


def test_a_disk_that_fills_up_is_an_os_error() -> None:
    """A short write ends the build instead of leaving a short file."""

    class FullDisk(io.BytesIO):
        def write(self, data: object) -> int:
            return super().write(data) if self.tell() < 150_000 else 0  # type: ignore[arg-type]

    with pytest.raises(OSError, match="could not be written"):
        build_recording(Storage().plan(5 * SECOND), dict[str, bytes]().__getitem__, FullDisk())


def test_the_document_beside_the_recording_tells_what_is_in_it() -> None:
    """JSON values only, the same for the same bytes."""
    storage = Storage()
    storage.store(track(), audio(0, level(16_384, 72_000)))
    result = storage.build(72_048, gaps=(Gap(72_000, 72_048, "gap.worker_lost"),))[1]

    document = json.loads(json.dumps(recording_document("ses_1", result)))

    assert document == {
        "object": "recording",
        "session_id": "ses_1",
        "duration_ms": 1501,
        "sample_rate": 48_000,
        "channels": 1,
        "layout": "mono",
        "size_bytes": 44 + 2 * 72_048,
        "sha256": result.sha256_hex,
        "peak_dbfs": -6.02,
        "tracks": [
            {
                "identity": "ann",
                "name": "Ann",
                "sid": "TR_ann",
                "side": "room",
                "first_sample": 0,
                "samples": 72_000,
                "frames": 150,
            }
        ],
        "loudness": {
            "integrated_lufs": -32.3,
            "true_peak_dbtp": -5.1,
            "participants": [{"identity": "ann", "integrated_lufs": -32.3, "true_peak_dbtp": -5.1}],
            "tracks": [
                {"identity": "ann", "sid": "TR_ann", "side": "room", "integrated_lufs": -32.3, "true_peak_dbtp": -5.1}
            ],
        },
        "gaps": [{"start_ms": 1500, "end_ms": 1501, "code": "gap.worker_lost"}],
        "absences": [],
    }


@pytest.mark.parametrize(("length", "layout"), [(-1, "mono"), (1, "5.1")])
def test_an_impossible_plan_is_refused(length: int, layout: str) -> None:
    """Before anything is frozen into a row."""
    with pytest.raises(ValueError, match="build plan"):
        BuildPlan((), length, layout)  # type: ignore[arg-type]


def test_pauses_can_be_cut_out_of_the_file_and_its_times_stay_right() -> None:
    """What follows moves to the front; gaps and tracks are told in the file's times."""
    storage = Storage()
    pcm = noise(1, 5 * SECOND)
    storage.store(track(), audio(0, pcm), encode_gap(1, "gap.rejoin", 4 * SECOND, SECOND // 2))
    cuts = ((SECOND // 2, SECOND), (2 * SECOND, 3 * SECOND + 100))
    samples, result = storage.build(5 * SECOND, cuts=cuts, on_pause="cut")
    expected = np.concatenate([pcm[: SECOND // 2], pcm[SECOND : 2 * SECOND], pcm[3 * SECOND + 100 :]])
    np.testing.assert_array_equal(samples, limited(expected[np.newaxis].astype(np.int32)))
    assert result.length_samples == 5 * SECOND - SECOND // 2 - SECOND - 100
    assert [(gap["start_ms"], gap["end_ms"], gap["code"]) for gap in result.gaps] == [
        (500, 500, "gap.paused"),
        (1500, 1500, "gap.paused"),
        (2497, 2998, "gap.rejoin"),
    ]
    assert result.tracks[0]["samples"] == result.length_samples


@pytest.mark.parametrize(("on_pause", "expected"), [("silence", [(0, 500), (1000, 1501)]), ("cut", [(0, 1001)])])
def test_it_is_told_when_nobody_was_there(on_pause: str, expected: list[tuple[int, int]]) -> None:
    """Pieces of one absence are one, a pause is none, and a replaced worker knows nothing of its successor's time."""
    storage = Storage()
    storage.store(track(), audio(4 * SECOND, level(1, SECOND)), encode_absence(1, 0, SECOND), epoch=1)
    storage.store(encode_absence(1, SECOND, SECOND // 2 + 1), encode_absence(2, 6 * SECOND, SECOND), epoch=1)
    storage.store(track(), audio(6 * SECOND, level(1, SECOND)), epoch=2)

    result = storage.build(7 * SECOND, cuts=((SECOND // 2, SECOND),), on_pause=on_pause)[1]

    assert [(one["start_ms"], one["end_ms"]) for one in result.absences] == expected
    assert {gap["code"] for gap in result.gaps} == {"gap.paused"}


def test_nobody_is_absent_outside_of_the_recording() -> None:
    """An absence that goes on when the session ends is as long as the session."""
    storage = Storage()
    storage.store(encode_absence(1, 0, 3 * SECOND))

    assert storage.build(2 * SECOND)[1].absences == [{"start_ms": 0, "end_ms": 2000}]


def test_cut_pauses_without_any_audio_leave_a_shorter_silence() -> None:
    """A file of nothing but pauses is empty."""
    samples, result = Storage().build(3 * SECOND, cuts=((0, SECOND), (2 * SECOND, 3 * SECOND)), on_pause="cut")
    assert (samples.shape, result.length_samples) == ((1, SECOND), SECOND)
    assert not samples.any()
    _, empty = Storage().build(SECOND, cuts=((0, SECOND),), on_pause="cut")
    assert empty.length_samples == 0


def test_a_pause_is_cut_out_of_any_second() -> None:
    """Also of a later one, in whose block other samples follow."""
    storage = Storage()
    storage.store(audio(0, (np.arange(4 * SECOND) % 20_000).astype(np.int16)))

    samples, _ = storage.build(4 * SECOND, cuts=((2 * SECOND + 10, 2 * SECOND + 100),), on_pause="cut")

    kept = [*range(2 * SECOND + 10), *range(2 * SECOND + 100, 4 * SECOND)]
    assert samples[0].tolist() == [sample % 20_000 for sample in kept]


def test_a_segment_without_a_whole_record_is_a_gap_from_its_start() -> None:
    """Its key says what it should have held."""
    storage = Storage()
    planned = storage.store(audio(4800, level(5, 4800)))
    storage[planned.storage_key] = storage[planned.storage_key][:-1]

    _, result = storage.build(SECOND)

    assert result.gaps == [{"start_ms": 100, "end_ms": 200, "code": "gap.storage"}]
    assert result.peak_dbfs == -96.0


class Forgetful(io.BytesIO):
    """Takes all that it is given, and keeps the first bytes only."""

    def __init__(self, kept_bytes: int) -> None:
        super().__init__()
        self._kept_bytes = kept_bytes

    def write(self, data: object) -> int:
        length = super().write(data)  # type: ignore[arg-type]
        place = self.tell()
        self.truncate(min(self._kept_bytes, len(self.getbuffer())))
        self.seek(place)
        return length


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_a_recording_that_was_cut_off_is_an_os_error(layout: str) -> None:
    """Whatever kept it said that all was well."""
    storage = Storage()
    storage.store(audio(0, level(5, SECOND)))
    plan = storage.plan(SECOND, layout=layout)
    size = 2 * SECOND * plan.num_channels

    with pytest.raises(OSError, match=f"cut off at {size - 1} bytes"):
        build_recording(plan, storage.__getitem__, Forgetful(size - 1))


def test_the_documents_times_are_whole_milliseconds() -> None:
    """A recording that ends within one is as long as those before it."""
    _, result = Storage().build(SECOND + 47)

    assert recording_document("sess_1", result)["duration_ms"] == 1000
    assert isinstance(recording_document("sess_1", result)["duration_ms"], int)
