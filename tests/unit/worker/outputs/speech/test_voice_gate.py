"""The voice gate with the real detector: silence, tones and noise hold no voice, speech does, with its edges."""

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.pcm import SPEECH_RATE
from tests.support.talkers.spoken import clip_at
from worker.outputs.speech.voice_detector import VoiceModel
from worker.outputs.speech.voice_gate import VoiceGate

Samples = NDArray[np.int16]
SECOND = SPEECH_RATE
EDGE = 400 * SPEECH_RATE // 1000  # 200 ms of padding, and what the detector needs to make up its mind


def found(samples: Samples, *, at_a_time: int = 10 * SECOND) -> list[tuple[int, int]]:
    """The voiced stretches, when so many samples are heard at a time."""
    gate = VoiceGate(VoiceModel())
    stretches: list[tuple[int, int]] = []
    for start in range(0, len(samples), at_a_time):
        stretches += gate.hear(samples[start : start + at_a_time])
    return [*stretches, *gate.finish()]


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * SECOND), dtype=np.int16)


def hiss(seconds: float, rms: float) -> Samples:
    """White noise."""
    return np.random.default_rng(5).normal(0, rms, round(seconds * SECOND)).astype(np.int16)


def sine(hz: float, seconds: float, amplitude: float) -> Samples:
    """A tone."""
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * SECOND)) / SECOND)).astype(np.int16)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, dtype=np.int16),
        np.zeros(511, dtype=np.int16),
        silence(30),
        sine(440, 20, 3276),
        sine(1000, 20, 16000),
        hiss(20, 30),
        hiss(20, 3000),
        hiss(20, 20) + sine(50, 20, 200),
    ],
    ids=["nothing", "less than a window", "silence", "our sine", "a loud tone", "a hiss", "loud noise", "mains hum"],
)
def test_what_is_no_voice_is_not_found(samples: Samples) -> None:
    """0 % of it: none of this is sent to an engine."""
    assert found(samples) == []


@pytest.mark.parametrize("noise_rms", [0, 30], ids=["in silence", "in a hiss"])
def test_speech_is_found_with_its_edges(noise_rms: float) -> None:
    """Two turns with silence around them: two stretches, each from before its first word until after its last."""
    first, second = clip_at("1_alice", SPEECH_RATE), clip_at("3_alice", SPEECH_RATE)
    track = np.concatenate([silence(3), first, silence(4), second, silence(2)])
    track += hiss(len(track) / SECOND, noise_rms)[: len(track)] if noise_rms else 0
    stretches = found(track)
    turns = [(3 * SECOND, 3 * SECOND + len(first)), (7 * SECOND + len(first), 7 * SECOND + len(first) + len(second))]
    for start, end in turns:
        inside = [one for one in stretches if one[0] < end and one[1] > start]
        assert start - EDGE <= inside[0][0] <= start + EDGE
        assert end - EDGE <= inside[-1][1] <= end + EDGE
        voiced = sum(min(one[1], end) - max(one[0], start) for one in inside)
        assert voiced >= 0.85 * (end - start)
    assert all(any(one[0] < end and one[1] > start for start, end in turns) for one in stretches), "nothing but speech"


def test_quiet_speech_is_speech_and_what_nobody_hears_is_not() -> None:
    """40 dB down it is found; 60 dB down it lies below the gate's floor."""
    speech = np.concatenate([silence(1), clip_at("1_alice", SPEECH_RATE), silence(1)])
    assert found((speech / 100).astype(np.int16))
    assert found((speech / 1000).astype(np.int16)) == []


def test_it_makes_no_difference_in_what_pieces_speech_is_heard() -> None:
    """Segments end anywhere, also within a word."""
    track = np.concatenate([silence(1), clip_at("1_alice", SPEECH_RATE), silence(2), clip_at("3_alice", SPEECH_RATE)])
    assert found(track) == found(track, at_a_time=4801) == found(track, at_a_time=len(track))


@pytest.mark.parametrize("seconds", [0.05, 0.5, 1.7, 3600.01])
def test_silence_that_is_only_counted_is_silence(seconds: float) -> None:
    """A hole moves what comes behind it, to the sample, and costs nothing."""
    first, second = clip_at("1_alice", SPEECH_RATE), clip_at("3_alice", SPEECH_RATE)
    hole = round(seconds * SECOND)
    gate = VoiceGate(VoiceModel())
    told = [*gate.hear(first), *gate.hear_silence(hole), *gate.hear(second), *gate.hear_silence(5), *gate.finish()]
    heard = min(hole, 3 * SECOND // 512 * 512 + hole % 512)  # as far from a window's edge
    expected = found(np.concatenate([first, np.zeros(heard, dtype=np.int16), second, np.zeros(5, dtype=np.int16)]))
    moved = hole - heard
    assert told == [
        (start + moved * (start > len(first) + SECOND), end + moved * (end > len(first) + SECOND))
        for start, end in expected
    ]
