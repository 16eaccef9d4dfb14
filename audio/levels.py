"""How loud samples are, in dB relative to full scale (32768)."""

import math

from audio.pcm import FULL_SCALE, Pcm

FLOOR_DBFS = -96.0
"""The level of silence, and of no samples at all: just below one step of int16."""


def dbfs(magnitude: float) -> float:
    """The level of a magnitude of 0 to 32768, never below the floor."""
    if magnitude <= 0:
        return FLOOR_DBFS
    return max(20.0 * math.log10(magnitude / FULL_SCALE), FLOOR_DBFS)


def peak_magnitude(pcm: Pcm) -> int:
    """The largest magnitude in an int16 array of any shape, 0 to 32768; 0 if it is empty."""
    if pcm.size == 0:
        return 0
    return max(int(pcm.max()), -int(pcm.min()))


def peak_dbfs(pcm: Pcm) -> float:
    """The level of the largest sample: 0.0 for full scale, -96.0 for silence or no samples."""
    return dbfs(peak_magnitude(pcm))
