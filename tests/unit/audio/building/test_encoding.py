"""A recording in other forms: as long as it was, and still what was said."""

import threading
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile

from audio.building.encoding import EncodedFormat, EncodingCanceledError, encode
from audio.pcm import SAMPLE_RATE, Pcm

SAMPLES = 2 * SAMPLE_RATE + 17


def _tone(num_channels: int) -> Pcm:
    """440 Hz in one channel, 660 Hz in the other, shape (n, channels)."""
    seconds = np.arange(SAMPLES) / SAMPLE_RATE
    tones = [8000 * np.sin(2 * np.pi * hertz * seconds) for hertz in (440, 660)[:num_channels]]
    return np.stack(tones, axis=1).astype(np.int16)


@pytest.mark.parametrize("num_channels", [1, 2])
@pytest.mark.parametrize("form", ["flac", "opus", "mp3"])
def test_every_form_has_the_samples_of_the_wav_file(tmp_path: Path, form: EncodedFormat, num_channels: int) -> None:
    """The same count and, but for what a lossy codec takes, the same sound in the same place."""
    tone = _tone(num_channels)
    soundfile.write(tmp_path / "in.wav", tone, SAMPLE_RATE, subtype="PCM_16")
    assert encode(tmp_path / "in.wav", tmp_path / "out", form, threading.Event()) == SAMPLES
    with soundfile.SoundFile(tmp_path / "out") as made:
        assert (made.frames, made.channels, made.samplerate) == (SAMPLES, num_channels, SAMPLE_RATE)
        heard = made.read(dtype="int16", always_2d=True)
    assert len(heard) == SAMPLES
    if form == "flac":
        assert np.array_equal(heard, tone)
    for channel in range(num_channels):
        alike = np.corrcoef(heard[4800:-4800, channel], tone[4800:-4800, channel])[0, 1]
        assert alike > 0.99, channel


@pytest.mark.parametrize("form", get_args(EncodedFormat))
@pytest.mark.parametrize("count", [0, 1, 2, 47, 48, 960, 1151, 1153])
def test_a_form_of_a_few_samples_can_be_read_and_of_none_is_not_made(
    tmp_path: Path, form: EncodedFormat, count: int
) -> None:
    """Either all of it, or an error: never a file that nothing can open."""
    soundfile.write(tmp_path / "in.wav", _tone(1)[:count], SAMPLE_RATE, subtype="PCM_16")
    if count == 0:
        with pytest.raises(OSError, match="empty"):
            encode(tmp_path / "in.wav", tmp_path / "out", form, threading.Event())
        return
    assert encode(tmp_path / "in.wav", tmp_path / "out", form, threading.Event()) == count
    with soundfile.SoundFile(tmp_path / "out") as made:
        assert len(made.read()) == made.frames == count


def test_a_wav_file_that_ends_early_is_no_recording_in_another_form(tmp_path: Path) -> None:
    """What can't be read to its end is not passed off as the whole."""
    (tmp_path / "in.wav").write_bytes(b"RIFF")
    with pytest.raises(OSError, match="flac"):
        encode(tmp_path / "in.wav", tmp_path / "out", "flac", threading.Event())


def test_encoding_ends_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    """At the next second."""
    soundfile.write(tmp_path / "in.wav", _tone(1), SAMPLE_RATE, subtype="PCM_16")
    canceled = threading.Event()
    canceled.set()
    with pytest.raises(EncodingCanceledError):
        encode(tmp_path / "in.wav", tmp_path / "out", "opus", canceled)
