"""Frames become shorter or longer by whole periods, without a click."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.pcm import SAMPLE_RATE, Pcm
from audio.placing.splice import splice

FRAME = SAMPLE_RATE // 10
TEN_MS = SAMPLE_RATE // 100


def tone(hertz: float, num_samples: int = FRAME) -> Pcm:
    pcm: Pcm = np.rint(8000 * np.sin(2 * np.pi * hertz * np.arange(num_samples) / SAMPLE_RATE)).astype(np.int16)
    return pcm


@given(st.floats(110, 900), st.integers(-2880, 2880).filter(lambda change: abs(change) > 100))
def test_a_tone_gets_about_the_length_asked_for_and_does_not_click(hertz: float, change: int) -> None:
    """It is off by a period at most, and no step is larger than the tone's own."""
    spliced = splice(tone(hertz), change)

    assert abs(len(spliced) - FRAME - change) <= TEN_MS
    assert np.abs(np.diff(spliced.astype(np.int32))).max() <= 8000 * 2 * np.pi * hertz / SAMPLE_RATE * 1.3 + 2


@pytest.mark.parametrize("change", [-1500, 1500])
def test_a_tone_stays_a_tone(change: int) -> None:
    """What is left out or said twice are whole periods."""
    spliced = splice(tone(200.0), change).astype(np.float64)
    since = np.arange(len(spliced)) / SAMPLE_RATE
    level = abs(np.mean(spliced * np.exp(-2j * np.pi * 200.0 * since))) * 2

    assert level == pytest.approx(8000, rel=0.03)


@pytest.mark.parametrize("change", [-1500, 1500])
def test_silence_stays_silent(change: int) -> None:
    """And gets its length all the same."""
    spliced = splice(np.zeros(FRAME, dtype=np.int16), change)

    assert not spliced.any()
    assert abs(len(spliced) - FRAME - change) <= TEN_MS


@given(st.integers(0, 2 * TEN_MS), st.integers(-3000, 3000))
def test_a_frame_that_is_too_short_stays_what_it_is_or_changes_by_less(num_samples: int, change: int) -> None:
    """Nothing is read beyond its end."""
    spliced = splice(tone(300.0, num_samples), change)

    assert 0 <= len(spliced) <= num_samples + max(num_samples, 0)
    assert abs(len(spliced) - num_samples) <= abs(change) + TEN_MS
