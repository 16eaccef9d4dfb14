"""Adding tracks up: a sparse window of int32 blocks, and the soft limit that brings the sum back to int16."""

import numpy as np
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE, Pcm

LIMIT_THRESHOLD = 23_197
"""-3 dBFS: sums up to here pass unchanged."""

_HEADROOM = 32_767 - LIMIT_THRESHOLD


def soft_limit(mix: NDArray[np.int32]) -> Pcm:
    """Bring sums of any shape into int16: identity up to -3 dBFS, above that a curve that nears full scale.

    The curve t + h*d/(d + h) starts with slope 1, is monotonic and symmetric, and is computed in integers, so every
    machine makes the same bytes.
    """
    if mix.size == 0 or (int(mix.max()) <= LIMIT_THRESHOLD and int(mix.min()) >= -LIMIT_THRESHOLD):
        return mix.astype(np.int16)
    limited = mix.copy()
    loud = np.abs(mix) > LIMIT_THRESHOLD
    sums = mix[loud].astype(np.int64)
    excess = np.abs(sums) - LIMIT_THRESHOLD
    limited[loud] = np.sign(sums) * (LIMIT_THRESHOLD + excess * _HEADROOM // (excess + _HEADROOM))
    return limited.astype(np.int16)


class MixWindow:
    """Sums per block of `block_samples`; a block exists only from its first sample until it is taken.

    So memory follows the audio that is waiting, however far apart its pieces lie.
    """

    def __init__(self, num_channels: int, block_samples: int = SAMPLE_RATE) -> None:
        self._num_channels = num_channels
        self._block_samples = block_samples
        self._blocks: dict[int, NDArray[np.int32]] = {}

    def add(self, channel: int, start_sample: int, pcm: Pcm) -> None:
        """Add samples of shape (n,) to one channel from `start_sample` (>= 0) on."""
        size = self._block_samples
        taken = 0
        while taken < len(pcm):
            index, offset = divmod(start_sample + taken, size)
            piece = pcm[taken : taken + size - offset]
            block = self._blocks.get(index)
            if block is None:
                block = self._blocks[index] = np.zeros((self._num_channels, size), dtype=np.int32)
            row = block[channel, offset : offset + len(piece)]
            np.add(row, piece, out=row)
            taken += len(piece)

    def take(self, index: int) -> NDArray[np.int32] | None:
        """Remove block `index` and return it, shape (num_channels, block_samples); None where nothing was added."""
        return self._blocks.pop(index, None)
