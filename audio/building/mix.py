"""Adding tracks up: a sparse window of int32 blocks."""

import numpy as np
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE, Pcm


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
