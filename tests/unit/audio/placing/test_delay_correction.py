"""Frames get back the length that they had before a jitter buffer stretched or pressed them."""

import numpy as np
import pytest

from audio.pcm import SAMPLE_RATE, Pcm
from audio.placing.delay_correction import DelayCorrection

FRAME = SAMPLE_RATE // 10
MS = SAMPLE_RATE // 1000


def frame() -> Pcm:
    pcm: Pcm = np.rint(8000 * np.sin(2 * np.pi * 200.0 * np.arange(FRAME) / SAMPLE_RATE)).astype(np.int16)
    return pcm


def test_a_delay_that_wanders_changes_no_sample() -> None:
    """As every jitter buffer's does."""
    correction, pcm = DelayCorrection(), frame()

    for delay in (0, 30 * MS, -20 * MS, 55 * MS, 10 * MS):
        assert correction.correct(pcm, delay) is pcm


@pytest.mark.parametrize("slope", [0.15, -0.15, -0.45])
def test_a_delay_that_changes_is_followed(slope: float) -> None:
    """What the frames are long together, and how late they are, add up to the time that has passed."""
    correction = DelayCorrection(2 * SAMPLE_RATE)
    taken = given = 0
    for _ in range(30):
        taken += FRAME
        delay = round(2 * SAMPLE_RATE + taken * slope)
        given += len(correction.correct(frame(), delay))
        assert given + correction.delay_samples - 2 * SAMPLE_RATE == taken
    assert abs(correction.delay_samples - delay) <= 110 * MS


def test_what_a_new_jitter_buffer_put_in_is_taken_back_bit_by_bit() -> None:
    """No frame loses more than a third of what was said in it; what is missing is put in as fast as ever."""
    correction = DelayCorrection()

    lost = [FRAME - len(correction.correct(frame(), 110 * MS, gently=True)) for _ in range(12)]
    assert max(lost) <= 35 * MS
    assert 100 * MS <= sum(lost) == correction.delay_samples <= 120 * MS

    assert len(correction.correct(frame(), 0, gently=True)) > FRAME + 45 * MS


def test_a_delay_that_is_another_one_at_once_is_a_jump() -> None:
    """No frame is stretched over it."""
    correction = DelayCorrection()

    assert correction.jump(100 * MS) == 0
    assert correction.jump(1500 * MS) == 1500 * MS
    assert correction.jump(0) == -1500 * MS
    assert correction.delay_samples == 0
