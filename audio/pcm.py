"""The one sample format of Parley: 48 kHz, int16, one channel per array of shape (n,)."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # who only moves segments has no need of numpy, which is 15 MB
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 48_000
"""Samples per second of everything that is recorded."""

SAMPLES_PER_FRAME = SAMPLE_RATE // 100
"""A frame, as frames are counted, is 10 ms."""

SPEECH_RATE = 16_000
"""What speech models want."""

FULL_SCALE = 32_768
"""The magnitude that is called 0 dBFS."""

Pcm: TypeAlias = "NDArray[np.int16]"
"""Mono samples, shape (n,), dtype int16."""
