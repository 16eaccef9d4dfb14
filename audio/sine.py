"""The synthetic input: a sine whose phase follows from the sample position alone."""

import math

import numpy as np

from audio.pcm import FULL_SCALE, SAMPLE_RATE, Pcm


def sine_block(
    start_sample: int,
    count: int,
    frequency_hz: float = 440.0,
    level_dbfs: float = -20.0,
    sample_rate: int = SAMPLE_RATE,
) -> Pcm:
    """Return samples [start_sample, start_sample + count) of the sine, shape (count,), its peak at `level_dbfs`.

    Blocks join without a seam in whatever sizes they are made. Raises ValueError for a negative count or a level
    above 0 dBFS.
    """
    if count < 0 or level_dbfs > 0:
        raise ValueError("a sine needs count >= 0 and level_dbfs <= 0")
    positions = np.arange(start_sample, start_sample + count, dtype=np.float64)
    # The modulo is exact in float64, so the phase is as good after hours as at the start.
    cycles = np.mod(positions * frequency_hz, sample_rate) / sample_rate
    amplitude = min(FULL_SCALE * 10.0 ** (level_dbfs / 20.0), FULL_SCALE - 1.0)
    sine: Pcm = np.rint(amplitude * np.sin(2.0 * math.pi * cycles)).astype(np.int16)
    return sine
