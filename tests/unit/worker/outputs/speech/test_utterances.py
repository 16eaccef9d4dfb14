"""Who speaks when, with the real detector: in the order of time, as soon as it is sure, holding what is needed only."""

import itertools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from audio.pcm import SPEECH_RATE, Pcm
from audio.ranges import Range
from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece
from tests.support.talkers.spoken import clip_at
from worker.outputs.speech.utterances import Utterance, find_utterances
from worker.outputs.speech.voice_gate import VoiceGate

SECOND = SPEECH_RATE
ANN, BOB = TrackLabel("ann", "Ann", "TR_1"), TrackLabel("bob", "Bob", "TR_2")
Turns = dict[TrackLabel, list[tuple[float, Pcm]]]


def steps(turns: Turns, seconds: int) -> Iterator[list[TrackPiece]]:
    """A second a step; a track has a hole where it says nothing."""
    for second in range(seconds):
        low, high = second * SECOND, (second + 1) * SECOND
        pieces = []
        for label, said in turns.items():
            for start_seconds, pcm in said:
                start = round(start_seconds * SECOND)
                first, last = max(low, start), min(high, start + len(pcm))
                if first < last:
                    pieces.append(TrackPiece(label, first, pcm[first - start : last - start]))
            if all(piece.label != label or piece.end_sample < high for piece in pieces):
                pieces.append(TrackPiece(label, high, np.zeros(0, dtype=np.int16)))
        yield pieces


def counted(tracks: Iterable[list[TrackPiece]], read: list[int]) -> Iterator[list[TrackPiece]]:
    """Count the steps that were taken."""
    for step in tracks:
        read[0] += 1
        yield step


def said(pcm: Pcm, utterance: Utterance, start_seconds: float) -> bool:
    """Whether an utterance holds exactly these samples, in their place, and silence around them."""
    line = np.zeros(utterance.start_sample + len(utterance.pcm) + len(pcm) + SECOND, dtype=np.int16)
    at = round(start_seconds * SECOND)
    line[at : at + len(pcm)] = pcm
    return np.array_equal(utterance.pcm, line[utterance.start_sample :][: len(utterance.pcm)])


def test_utterances_of_all_tracks_come_in_the_order_of_time() -> None:
    """Also where one begins while another goes on, and where a track begins late."""
    alice, bob = clip_at("3_alice", SECOND), clip_at("4_bob", SECOND)
    interjection = alice[: SECOND * 6 // 10]
    turns: Turns = {ANN: [(1.0, alice), (15.5, interjection), (24.0, alice)], BOB: [(2.0, bob), (15.0, bob)]}
    found = list(find_utterances(steps(turns, 30)))
    assert [one.label for one in found] == [ANN, BOB, BOB, ANN, ANN]
    starts = [(1, alice), (2, bob), (15, bob), (15.5, interjection), (24, alice)]
    for one, (start, pcm) in zip(found, starts, strict=True):
        assert said(pcm, one, start)
        assert start * 1000 - 400 <= one.start_ms < one.end_ms <= start * 1000 + len(pcm) / SECOND * 1000 + 400


def test_one_is_told_as_soon_as_nobody_can_have_begun_before() -> None:
    """The engine begins while the hour is still being read, also when nobody speaks again."""
    read = [0]
    found = find_utterances(counted(steps({ANN: [(1.0, clip_at("3_alice", SECOND))]}, 3600), read))
    assert next(found).label == ANN
    assert read[0] < 8


def test_what_ends_with_the_recording_is_told_and_ends_with_it() -> None:
    """In the middle of a word; the padding does not reach past the end."""
    alice = clip_at("1_alice", SECOND)[: 2 * SECOND]
    [one] = find_utterances(steps({ANN: [(1.0, alice)]}, 3))
    assert said(alice, one, 1.0)
    assert one.start_sample + len(one.pcm) == 3 * SECOND


def test_a_speech_without_pauses_comes_in_parts_and_is_not_collected() -> None:
    """None longer than an engine takes, no sample lost or said twice, the first long before the last."""
    word = clip_at("1_alice", SECOND)
    word = word[np.abs(word) > 300][: 2 * SECOND]
    speech = np.tile(word, 30)
    read = [0]
    found = find_utterances(counted(steps({ANN: [(2.0, speech)]}, 70), read))
    first = next(found)
    assert read[0] <= 20
    parts = [first, *found]
    assert all(len(one.pcm) <= 15 * SECOND for one in parts)
    assert all(
        before.start_sample + len(before.pcm) == after.start_sample for before, after in itertools.pairwise(parts)
    )
    assert all(said(speech, one, 2.0) for one in parts)
    assert len(parts) >= len(speech) / 15 / SECOND


def test_an_endless_identity_has_an_id_that_fits_an_index() -> None:
    """The customer's server chooses it; two of them stay two."""
    ids = {
        Utterance(TrackLabel("x" * 5000 + end, "", "TR_1"), 16_000, np.zeros(1, dtype=np.int16)).external_id
        for end in "ab"
    }
    assert sorted(map(len, ids)) == [71, 71]
    assert Utterance(ANN, 16_000, np.zeros(1, dtype=np.int16)).external_id == "ann/TR_1/16000"


def test_two_tracks_are_heard_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a thread of its own: neither gets on before the other has begun."""
    meeting = threading.Barrier(2, timeout=10)
    hear = VoiceGate.hear

    def wait_and_hear(gate: VoiceGate, samples: Pcm) -> Iterator[Range]:
        meeting.wait()
        yield from hear(gate, samples)

    turns: Turns = {ANN: [(0.0, clip_at("3_alice", SECOND))], BOB: [(0.0, clip_at("4_bob", SECOND))]}
    monkeypatch.setattr(VoiceGate, "hear", wait_and_hear)
    monkeypatch.setattr(VoiceGate, "hear_silence", lambda *_: iter(()))
    monkeypatch.setattr(VoiceGate, "finish", lambda *_: iter(()))
    assert list(find_utterances(steps(turns, 1))) == []


def test_who_comes_back_from_a_rest_is_heard_as_if_there_had_been_none() -> None:
    """The same utterances; and whoever has gone holds nobody's back."""
    alice = clip_at("3_alice", SECOND)
    turns = {ANN: [(1.0, alice), (100.3, alice)], BOB: [(60.2, alice), (170.0, alice)]}

    def resting() -> Iterator[list[TrackPiece]]:
        """As `read_tracks` does it."""
        last, away = {ANN: 0, BOB: 0}, set[TrackLabel]()
        for pieces in steps(turns, 180):
            step = []
            for piece in pieces:
                if len(piece.samples):
                    last[piece.label] = piece.end_sample
                    away.discard(piece.label)
                rests = piece.start_sample - last[piece.label] > 30 * SECOND
                if piece.label not in away:
                    step.append(replace(piece, rests=rests))
                if rests:
                    away.add(piece.label)
            yield step

    expected = [(one.external_id, one.pcm.tobytes()) for one in find_utterances(steps(turns, 180))]
    assert [(one.external_id, one.pcm.tobytes()) for one in find_utterances(resting())] == expected
    read = [0]
    found = find_utterances(counted(resting(), read))
    assert next(found).label == ANN
    assert next(found).label == BOB
    assert read[0] < 75
