"""Speech whose words are known, at 16 kHz: what the demo's talkers say, five sentences that somebody has read, and what
a switchboard says over the telephone."""

import gzip
import re
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
_PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_PROMPT_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
PROMPT_PACKAGES = "asterisk-core-sounds-en asterisk-core-sounds-en-wav"
"""Debian's packages with the texts, and with the prompts."""
_PROMPT_WORDS = 6  # single words have no sentence to be understood from
_SPELLED = re.compile(r"[0-9#*\[\]()]")  # what is said for it is not written

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


def telephone_prompts(number: int) -> Corpus:
    """Sentences of 8 kHz, the first so many; empty where `PROMPT_PACKAGES` are not installed."""
    if not _PROMPT_TEXTS.exists():
        return []
    lines = (line.partition(":") for line in gzip.decompress(_PROMPT_TEXTS.read_bytes()).decode().splitlines())
    sentences = [
        (path, said.strip())
        for name, _, said in lines
        if len(said.split()) >= _PROMPT_WORDS and not _SPELLED.search(said)
        if (path := _PROMPTS / f"{name}.wav").exists()
    ]
    return [(_at_speech_rate(*soundfile.read(path, dtype="int16")), said) for path, said in sentences[:number]]


def _at_speech_rate(samples: Pcm, rate: int) -> Pcm:
    return np.asarray(samples if rate == SPEECH_RATE else soxr.resample(samples, rate, SPEECH_RATE), dtype=np.int16)
