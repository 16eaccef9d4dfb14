"""PCM of any rate, channels and cut becomes 48 kHz mono."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.placing.pcm_decoder import PcmDecoder, PcmFormat

SECOND = 48_000


def tone(pitch_hz: float, rate: int, seconds: float = 1.0) -> Any:
    """A sine at amplitude 8000."""
    return np.rint(8000 * np.sin(2 * np.pi * pitch_hz * np.arange(round(rate * seconds)) / rate)).astype("<i2")


def decoded(pcm_format: PcmFormat, chunks: list[bytes]) -> np.ndarray:
    """Everything of a stream that came in these chunks."""
    decoder = PcmDecoder(pcm_format)
    return np.concatenate([*(decoder.decode(chunk) for chunk in chunks), decoder.flush()])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The bytes, cut at these places (taken modulo the length)."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000, 96000, 192000])
def test_the_pitch_and_the_length_stay(rate: int) -> None:
    """A second of 700 Hz is a second of 700 Hz, and nothing else is in it."""
    pcm = decoded(PcmFormat(rate, 1), [tone(700, rate).tobytes()])
    assert abs(len(pcm) - SECOND) <= 1
    spectrum = np.abs(np.fft.rfft(pcm[:SECOND] * np.hanning(len(pcm[:SECOND]))))
    assert int(np.argmax(spectrum)) == 700
    spectrum[690:711] = 0
    assert spectrum.max() < 8000 * SECOND / 4 / 300  # −50 dB


def test_channels_are_averaged() -> None:
    """Left and right are heard alike; one that is silent halves the other."""
    left, right = tone(700, SECOND), np.zeros(SECOND, "<i2")
    pcm = decoded(PcmFormat(48000, 2), [np.stack([left, right], axis=1).tobytes()])
    assert np.max(np.abs(pcm - left / 2)) <= 0.5
    assert pcm.dtype == np.int16


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (192_000, 8)])
def test_the_least_and_the_most_of_a_format_are_taken(rate: int, channels: int) -> None:
    """From what the stream says about itself."""
    attributes = {"sample_rate": str(rate), "num_channels": str(channels)}
    assert PcmFormat.from_attributes(attributes) == PcmFormat(rate, channels)


@given(places=st.lists(st.integers(0, 1 << 20), max_size=40), channels=st.integers(1, 3))
def test_no_cut_changes_a_sample(places: list[int], channels: int) -> None:
    """Cuts within a sample, within a frame, empty chunks: at 48 kHz the very same samples."""
    pcm = np.arange(channels * 3000, dtype="<i2") * 7
    whole = decoded(PcmFormat(48000, channels), [pcm.tobytes()])
    assert np.array_equal(decoded(PcmFormat(48000, channels), cut(pcm.tobytes(), places)), whole)


@given(places=st.lists(st.integers(0, 1 << 20), max_size=40))
def test_no_cut_changes_what_is_resampled(places: list[int]) -> None:
    """The resampler's rounding may differ by two units, the number of samples not at all."""
    data = tone(700, 24000, 0.3).tobytes()
    whole = decoded(PcmFormat(24000, 1), [data]).astype(int)
    parts = decoded(PcmFormat(24000, 1), cut(data, places)).astype(int)
    assert len(parts) == len(whole) == 14_400
    assert np.max(np.abs(parts - whole)) <= 2


def test_half_a_frame_at_the_end_is_left_out() -> None:
    """An odd number of bytes is no reason to stop."""
    data = tone(700, 48000).tobytes()
    assert len(decoded(PcmFormat(48000, 1), [data + b"x"])) == SECOND
    assert len(decoded(PcmFormat(48000, 2), [data + b"xyz"])) == SECOND // 2
    assert len(decoded(PcmFormat(24000, 1), [])) == 0


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({}, "sample_rate"),
        ({"sample_rate": "24000"}, "num_channels"),
        ({"sample_rate": "0", "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "-24000", "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "24000.0", "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "२४०००", "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "9" * 5000, "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "0024000", "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "7999", "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "192001", "num_channels": "1"}, "sample_rate"),
        ({"sample_rate": "8000", "num_channels": "9"}, "num_channels"),
        ({"sample_rate": "24000", "num_channels": "0"}, "num_channels"),
        ({"sample_rate": "24000", "num_channels": "4096"}, "num_channels"),
    ],
)
def test_a_stream_that_is_no_pcm_of_voices_is_refused_by_what_is_wrong(attributes: dict[str, str], name: str) -> None:
    """Missing, zero, negative, huge, no number."""
    with pytest.raises(ValueError, match=f"^{name}$"):
        PcmFormat.from_attributes(attributes)
