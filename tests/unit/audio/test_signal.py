"""Sine, levels and the window of the mix do what their numbers say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.building.mix import MixWindow
from audio.levels import peak_dbfs
from audio.sine import sine_block


def test_a_sine_of_any_blocks_is_one_sine() -> None:
    """The phase follows from the position, hours in as well."""
    start = 4 * 3600 * 48_000 + 17
    blocks = [sine_block(start + at, 481) for at in range(0, 4810, 481)]

    assert np.array_equal(np.concatenate(blocks), sine_block(start, 4810))


def test_a_sine_has_its_frequency_and_level() -> None:
    """440 Hz at -20 dBFS: 440 periods in a second, peak a tenth of full scale."""
    second = sine_block(48_000 * 100, 48_000)
    spectrum = np.abs(np.fft.rfft(second.astype(np.float64)))

    assert int(spectrum.argmax()) == 440
    assert peak_dbfs(second) == pytest.approx(-20.0, abs=0.01)
    assert int(second[0]) == 0
    spectrum[440] = 0
    assert spectrum.max() < 3277 * 48_000 / 2 / 1000  # −60 dB: nothing else is in it


def test_a_full_scale_sine_does_not_wrap() -> None:
    """0 dBFS reaches both ends of int16 that have the same magnitude; no samples are no error."""
    second = sine_block(0, 48_000, level_dbfs=0.0)

    assert (int(second.max()), int(second.min())) == (32_767, -32_767)
    assert sine_block(7, 0).size == 0


@pytest.mark.parametrize(("count", "level"), [(-1, -20.0), (1, 0.1)])
def test_an_impossible_sine_is_refused(count: int, level: float) -> None:
    """Negative counts and levels above full scale are programming errors."""
    with pytest.raises(ValueError, match="sine"):
        sine_block(0, count, level_dbfs=level)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([], -96.0), ([0, 0], -96.0), ([-32_768], 0.0), ([16_384, 0], -6.02), ([1], -90.31)],
)
def test_a_peak_level_is_relative_to_full_scale(samples: list[int], expected: float) -> None:
    """The largest magnitude counts, the negative end too; silence is the floor."""
    assert peak_dbfs(np.array(samples, dtype=np.int16)) == pytest.approx(expected, abs=0.01)


@settings(max_examples=50)
@given(pieces=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 300), st.integers(0, 120)), max_size=8))
def test_a_window_adds_like_one_long_array(pieces: list[tuple[int, int, int]]) -> None:
    """Blocks are an implementation detail of the sum."""
    expected = np.zeros((2, 500), dtype=np.int32)
    window = MixWindow(2, block_samples=50)
    for channel, start, count in pieces:
        pcm = np.arange(1, count + 1, dtype=np.int16) * 250
        expected[channel, start : start + count] += pcm
        window.add(channel, start, pcm)

    blocks = [window.take(index) for index in range(10)]

    found = np.concatenate([np.zeros((2, 50), np.int32) if block is None else block for block in blocks], axis=1)
    assert np.array_equal(found, expected)
    assert found.dtype == np.int32
    assert [window.take(index) for index in range(10)] == [None] * 10
