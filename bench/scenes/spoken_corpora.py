"""Speech whose words are known, at 16 kHz: what the demo's talkers say, and five sentences that somebody has read."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from audio.pcm import SPEECH_RATE, Pcm
from parley.demo.script import SPOKEN_RATE, TALKERS, part_of
from tools.make_demo_speech import TURNS

_READ = Path("/usr/share/pocketsphinx/test/data/librivox")
READ_PACKAGE = "pocketsphinx-testdata"
"""Debian's package with the sentences."""

Corpus = list[tuple[Pcm, str]]
"""Each a piece of speech, and what is said in it."""


def demo_speech() -> Corpus:
    """A synthetic voice's, by talkers."""
    return [
        (_at_speech_rate(part_of(talker), SPOKEN_RATE), " ".join(said for who, said in TURNS if who == talker))
        for talker in TALKERS
    ]


def read_speech() -> Corpus:
    """From an audio book; empty where `READ_PACKAGE` is not installed."""
    transcription = _READ / "transcription"
    corpus = []
    for line in transcription.read_text().splitlines() if transcription.exists() else ():
        said, _, name = line.rstrip(")").rpartition("(")
        samples, rate = soundfile.read(_READ / f"{name}.wav", dtype="int16")
        corpus.append((_at_speech_rate(samples, rate), said.replace("<s>", "").replace("</s>", "").strip()))
    return corpus


def _at_speech_rate(samples: Pcm, rate: int) -> Pcm:
    return np.asarray(samples if rate == SPEECH_RATE else soxr.resample(samples, rate, SPEECH_RATE), dtype=np.int16)
