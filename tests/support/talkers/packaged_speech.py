"""Real speech, music and many languages, out of Debian packages (`.ci/run` installs them), at 16 kHz."""

import io
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from audio.pcm import SPEECH_RATE, Pcm

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
ASTERISK = Path("/usr/share/asterisk")
_TELEPHONE_RATE = 8000


def librivox_sentences() -> list[tuple[Pcm, str]]:
    """Five sentences of an audio book, each with its words in lower case."""
    _require(LIBRIVOX, "pocketsphinx-testdata")
    found = []
    for line in (LIBRIVOX / "transcription").read_text().splitlines():
        words, _, name = line.rstrip(")").rpartition("(")
        found.append((_at_speech_rate(LIBRIVOX / f"{name}.wav"), words.replace("<s>", "").replace("</s>", "").strip()))
    return found


def telephone_prompts(voice: str, language: str, names: tuple[str, ...]) -> list[Pcm]:
    """What a switchboard says; `voice` is a folder of asterisk-core-sounds-{language}-gsm."""
    folder = ASTERISK / "sounds" / voice
    _require(folder, f"asterisk-core-sounds-{language}-gsm")
    return [_from_telephone(folder / f"{name}.gsm") for name in names]


def music_on_hold(name: str) -> Pcm:
    """Ten seconds from the middle of a piece."""
    folder = ASTERISK / "moh"
    _require(folder / f"{name}.gsm", "asterisk-moh-opsound-gsm")
    pcm = _from_telephone(folder / f"{name}.gsm")
    return pcm[20 * SPEECH_RATE : 30 * SPEECH_RATE]


def synthetic_speech(voice: str, text: str) -> Pcm:
    """What espeak-ng makes of a text, by the name of one of its voices: `de`, `pl`."""
    _require(Path("/usr/bin/espeak-ng"), "espeak-ng")
    said = subprocess.run(["espeak-ng", "-v", voice, "--stdout", text], check=True, capture_output=True, timeout=10)
    samples, rate = soundfile.read(io.BytesIO(said.stdout), dtype="int16")
    return _resampled(samples, rate)


def _from_telephone(path: Path) -> Pcm:
    samples, rate = soundfile.read(
        path, dtype="int16", format="RAW", subtype="GSM610", samplerate=_TELEPHONE_RATE, channels=1
    )
    return _resampled(samples, rate)


def _at_speech_rate(path: Path) -> Pcm:
    samples, rate = soundfile.read(path, dtype="int16")
    return _resampled(samples, rate)


def _resampled(samples: Pcm, rate: int) -> Pcm:
    return np.asarray(samples if rate == SPEECH_RATE else soxr.resample(samples, rate, SPEECH_RATE), dtype=np.int16)


def _require(path: Path, package: str) -> None:
    if not path.exists():
        reason = f"Debian's package {package} is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
