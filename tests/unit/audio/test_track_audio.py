"""Each track by itself at 16 kHz: in its place, without seams, and no more of the recording read than is asked for."""

from collections.abc import Iterator

import numpy as np

from audio.pcm import SAMPLE_RATE, SPEECH_RATE, Pcm
from audio.segments.plan import BuildPlan
from audio.segments.segments import read_segment
from audio.segments.track_tally import TrackLabel
from audio.track_audio import GrowingTracks, TrackPiece, read_tracks
from tests.support.samples.stored_segments import StoredSegments, audio, level, track

SECOND = SAMPLE_RATE
ANN, BOB = (TrackLabel(one, one.title(), f"TR_{one}") for one in ("ann", "bob"))


def sine(seconds: float, hz: float = 400.0) -> Pcm:
    """A tone at 48 kHz."""
    return (10_000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * SECOND)) / SECOND)).astype(np.int16)


def read_all(storage: StoredSegments, plan: BuildPlan) -> list[TrackPiece]:
    """Every piece, checked to come in its track's order."""
    pieces = [piece for step in read_tracks(plan, storage.__getitem__, lambda _: True, []) for piece in step]
    ends: dict[TrackLabel, int] = {}
    for piece in pieces:
        assert piece.start_sample >= ends.get(piece.label, 0)
        ends[piece.label] = piece.end_sample
    return pieces


def joined(pieces: list[TrackPiece], label: TrackLabel) -> Pcm:
    """A whole track, silence in between."""
    own = [piece for piece in pieces if piece.label == label]
    line = np.zeros(own[-1].end_sample, dtype=np.int16)
    for piece in own:
        line[piece.start_sample : piece.end_sample] = piece.samples
    return line


def expected(pcm: Pcm) -> Pcm:
    """The tone as 16 kHz would have sampled it: every third sample."""
    return pcm[:: SAMPLE_RATE // SPEECH_RATE]


def close(heard: Pcm, wanted: Pcm) -> bool:
    """The same but for what the filter does at the edges."""
    inner = slice(200, -200)
    return len(heard) == len(wanted) and np.abs(heard.astype(int) - wanted.astype(int))[inner].max() < 30


def test_a_recording_without_a_segment_has_no_track() -> None:
    """Nobody came, so nothing was ever stored; there is nothing to hear, and that is no error."""
    assert read_all(StoredSegments(), StoredSegments().plan(5 * SECOND)) == []


def test_a_track_goes_through_segments_without_a_seam() -> None:
    """One filter: a tone that three segments share is one tone."""
    storage, tone = StoredSegments(), sine(3)
    for part in range(3):
        storage.store(track(), audio(SECOND + part * SECOND, tone[part * SECOND : (part + 1) * SECOND]))
    line = joined(read_all(storage, storage.plan(5 * SECOND)), ANN)
    assert not line[:15_990].any()
    assert close(line[SPEECH_RATE:], expected(tone))


def test_what_comes_behind_a_hole_lies_where_it_was_said() -> None:
    """Within a segment and between two; odd samples don't add up to a drift."""
    storage, tone = StoredSegments(), sine(0.5)
    starts = [100_001, 200_003, 400_000, 700_001]
    storage.store(track(), audio(starts[0], tone), audio(starts[1], tone))
    storage.store(track(), audio(starts[2], tone))
    storage.store(track(), audio(starts[3], tone))
    line = joined(read_all(storage, storage.plan(20 * SECOND)), ANN)
    for start in starts:
        at = round(start / 3)
        assert close(line[at : at + SPEECH_RATE // 2], expected(tone))
        assert not line[at - 3000 : at - 50].any()


def test_each_step_says_how_far_the_others_are_silent() -> None:
    """Ann has left; while bob speaks, nobody waits for what she might say."""
    storage = StoredSegments()
    storage.store(track(), audio(0, sine(1)))
    storage.store(track(2, "bob"), audio(10 * SECOND, sine(1), 2))
    storage.store(track(2, "bob"), audio(20 * SECOND, sine(1), 2))
    steps = list(read_tracks(storage.plan(30 * SECOND), storage.__getitem__, lambda _: True, []))
    ends = [max(piece.end_sample for piece in step if piece.label == ANN) for step in steps[:2]]
    assert ends == [10 * SPEECH_RATE, 20 * SPEECH_RATE]
    assert len(steps) == 3


def test_a_track_that_goes_on_is_not_called_silent() -> None:
    """What its filter still holds comes with the next segment."""
    storage = StoredSegments()
    storage.store(track(), audio(0, sine(1)))
    storage.store(track(), audio(SECOND, sine(1)))
    first, last = read_tracks(storage.plan(2 * SECOND), storage.__getitem__, lambda _: True, [])
    assert [one.label for one in first] == [ANN]
    assert first[-1].end_sample < SPEECH_RATE
    assert last[-1].end_sample == 2 * SPEECH_RATE


def test_segments_are_read_one_by_one() -> None:
    """Who listens begins with the first."""
    storage = StoredSegments()
    for part in range(5):
        storage.store(track(), audio(part * SECOND, sine(1)))
    asked: list[str] = []

    def read(key: str) -> bytes:
        asked.append(key)
        return storage[key]

    steps: Iterator[list[TrackPiece]] = read_tracks(storage.plan(5 * SECOND), read, lambda _: True, [])
    assert next(steps)[0].label == ANN
    assert len(asked) == 1


def test_tracks_of_one_segment_do_not_mix() -> None:
    """Records of two who speak at once, by turns: each tone is whole, and nobody else's."""
    storage, low, high = StoredSegments(), sine(1), sine(1, 1500.0)
    halves = [audio(at, pcm[at : at + SECOND // 2], n) for at in (0, SECOND // 2) for n, pcm in ((1, low), (2, high))]
    storage.store(track(), track(2, "bob"), *halves)
    pieces = read_all(storage, storage.plan(SECOND))

    assert close(joined(pieces, ANN), expected(low))
    assert close(joined(pieces, BOB), expected(high))


def test_only_those_in_the_room_who_are_wanted_are_read() -> None:
    """The worker's own sine is nobody's words."""
    storage = StoredSegments()
    storage.store(track(), track(2, "bob"), track(3, "sine", "worker"), *(audio(0, sine(1), n) for n in (1, 2, 3)))
    steps = read_tracks(storage.plan(SECOND), storage.__getitem__, lambda label: label.identity != "ann", [])
    assert {piece.label for step in steps for piece in step} == {BOB}


def test_pauses_lost_segments_and_the_end_are_silent() -> None:
    """What is not in the file is in no transcript either; two tellings of one second are not two seconds."""
    storage = StoredSegments()
    storage.store(track(), audio(0, level(1000, 2 * SECOND)))
    lost = storage.store(track(), audio(2 * SECOND, level(1000, SECOND)))
    storage.store(track(), audio(3 * SECOND, level(1000, 3 * SECOND)))
    storage.store(track(), audio(4 * SECOND, level(1000, SECOND)), epoch=2)
    plan = storage.plan(5 * SECOND, cuts=((SECOND, 3 * SECOND // 2),))
    del storage[lost.storage_key]

    def read(key: str) -> bytes:
        if key not in storage:
            raise FileNotFoundError(key)
        return storage[key]

    pieces = [piece for step in read_tracks(plan, read, lambda _: True, []) for piece in step]
    line = joined(pieces, ANN)
    heard = [round(float(np.abs(line[at * 1600 : (at + 1) * 1600]).mean()), -2) for at in range(len(line) // 1600)]
    assert heard == [1000] * 10 + [0] * 5 + [1000] * 5 + [0] * 10 + [1000] * 20


def test_a_track_that_grows_sounds_as_the_finished_one() -> None:
    """Record by record, through a hole and a segment's end: the same samples in the same places."""
    storage, tone = StoredSegments(), sine(4)
    parts = [tone[:SECOND], tone[2 * SECOND : 3 * SECOND], tone[3 * SECOND :]]
    for number, start in enumerate((0, 2 * SECOND, 3 * SECOND)):
        storage.store(track(), audio(start, parts[number]))
    whole = joined(read_all(storage, storage.plan(4 * SECOND)), ANN)

    growing, pieces = GrowingTracks(lambda _: True), []
    for planned in storage.planned:
        records = read_segment(storage[planned.storage_key]).records
        for record in records:
            pieces += growing.hear(planned.key, [record])
    pieces += growing.silent_until(5 * SECOND)
    assert growing.missed_sample is None
    grown = joined(pieces, ANN)
    assert np.abs(grown[: len(whole)].astype(int) - whole).max() <= 1  # the filter's output is dithered
    assert not grown[len(whole) :].any()
    assert grown.shape == (5 * SPEECH_RATE,)


def test_what_comes_too_late_is_told_and_what_comes_twice_is_not_heard_again() -> None:
    """A successor's first frames overlap its predecessor's last; somebody's packets came after their silence."""
    growing = GrowingTracks(lambda _: True)
    storage = StoredSegments()
    first = storage.store(track(), audio(0, level(100, 2 * SECOND)))
    second = storage.store(track(), audio(SECOND, level(200, 2 * SECOND)), epoch=2)
    late = storage.store(track(), audio(3 * SECOND + SECOND // 2, level(300, SECOND)), epoch=2)
    pieces = []
    for planned in (first, second):
        pieces += growing.hear(planned.key, read_segment(storage[planned.storage_key]).records)
    assert growing.missed_sample is None
    pieces += growing.silent_until(4 * SECOND)
    pieces += growing.hear(late.key, read_segment(storage[late.storage_key]).records)
    assert growing.missed_sample == 3 * SECOND + SECOND // 2
    line = joined(pieces + growing.silent_until(6 * SECOND), ANN)
    heard = [round(float(line[round(at * SPEECH_RATE)]) / 100) for at in (0.5, 1.5, 2.5, 3.7, 4.2)]
    assert heard == [1, 1, 2, 0, 3]


def test_what_could_not_be_read_is_noted() -> None:
    """Where it was, outside of the pauses; a segment that is whole loses nothing."""
    storage = StoredSegments()
    storage.store(track(1, "ann"), audio(0, level(9, SECOND)))
    gone = storage.store(track(1, "ann"), audio(2 * SECOND, level(9, SECOND)))
    cut = storage.store(track(1, "ann"), audio(4 * SECOND, level(9, SECOND)), audio(5 * SECOND, level(9, SECOND)))
    del storage[gone.storage_key]
    storage[cut.storage_key] = storage[cut.storage_key][:-1]
    plan = storage.plan(6 * SECOND, cuts=((2 * SECOND, 2 * SECOND + 100),))
    lost: list[tuple[int, int]] = []
    assert list(read_tracks(plan, storage.__getitem__, lambda _: True, lost))
    assert lost == [(2 * SECOND + 100, 3 * SECOND), (5 * SECOND, 6 * SECOND)]


def test_a_track_that_has_ended_costs_nothing_more() -> None:
    """Each half a minute another one: no step tells of more than the last few, and who comes back is heard in place."""
    storage = StoredSegments()
    starts = range(0, 1200, 20)
    for number, second in enumerate(starts, start=1):
        storage.store(track(number, f"p{number}"), audio(second * SECOND, level(100, SECOND), number))
    storage.store(track(1, "p1"), audio(1200 * SECOND, level(200, SECOND), 1))
    steps = list(read_tracks(storage.plan(1300 * SECOND), storage.__getitem__, lambda _: True, []))
    assert max(len({piece.label for piece in step}) for step in steps) <= 3
    first = [piece for step in steps for piece in step if piece.label.identity == "p1"]
    resting = next(index for index, piece in enumerate(first) if piece.rests)
    assert not any(piece.rests for piece in first[resting + 1 :])
    assert first[resting + 1].start_sample == 1200 * SPEECH_RATE
    assert sum(np.count_nonzero(piece.samples > 150) for piece in first[resting + 1 :]) > SPEECH_RATE * 0.9


def test_a_growing_track_that_rested_is_not_heard_again_before_its_rest() -> None:
    """What comes twice is not heard twice, however late; and it is let go of once."""
    growing = GrowingTracks(lambda _: True)
    storage = StoredSegments()
    first = storage.store(track(), audio(0, level(100, 2 * SECOND)))
    again = storage.store(track(), audio(SECOND, level(300, SECOND)), epoch=2)
    later = storage.store(track(), audio(50 * SECOND, level(200, SECOND)), epoch=2)
    growing.hear(first.key, read_segment(storage[first.storage_key]).records)
    rests = [piece.rests for until in (10, 31, 33, 40) for piece in growing.silent_until(until * SECOND)]
    assert rests.count(True) == 1
    assert rests[-1]
    assert growing.hear(again.key, read_segment(storage[again.storage_key]).records) == []
    assert growing.missed_sample == SECOND
    pieces = growing.hear(later.key, read_segment(storage[later.storage_key]).records)
    assert pieces[0].start_sample == 50 * SPEECH_RATE
