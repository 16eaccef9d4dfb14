"""Samples that wait to be played."""

from collections import deque

import numpy as np

from audio.pcm import SAMPLE_RATE, Pcm

_PIECE_SAMPLES = SAMPLE_RATE // 10  # smaller chunks are put together: many tiny ones cost no more than few


class PcmQueue:
    """First in, first out. Of samples that do not fit, only the number is kept, so that later ones keep their place.

    `samples` waits in all, `kept_samples` of it in memory.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.kept_samples = 0
        self._pieces: deque[Pcm | int] = deque()

    def push(self, pcm: Pcm, room_samples: int) -> None:
        """Append samples of shape (n,), copied; past `room_samples` only how many they are."""
        kept = min(len(pcm), max(room_samples, 0))
        if kept:
            self._keep(pcm[:kept])
        if len(pcm) > kept:
            self._lose(len(pcm) - kept)
        self.samples += len(pcm)
        self.kept_samples += kept

    def take(self, count: int) -> list["Pcm | int"]:
        """Take the first `count` samples (at most what there is): arrays, and the lengths of what was not kept."""
        taken: list[Pcm | int] = []
        while count > 0 and self._pieces:
            piece = self._pieces.popleft()
            length = piece if isinstance(piece, int) else len(piece)
            if length > count:
                self._pieces.appendleft(piece - count if isinstance(piece, int) else piece[count:])
                piece, length = (count if isinstance(piece, int) else piece[:count]), count
            if not isinstance(piece, int):
                self.kept_samples -= length
            taken.append(piece)
            self.samples -= length
            count -= length
        return taken

    def _keep(self, pcm: Pcm) -> None:
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, np.ndarray) and len(last) + len(pcm) <= _PIECE_SAMPLES:
            self._pieces[-1] = np.concatenate((last, pcm))
        else:
            self._pieces.append(pcm.copy())

    def _lose(self, count: int) -> None:
        if self._pieces and isinstance(self._pieces[-1], int):
            self._pieces[-1] += count
        else:
            self._pieces.append(count)
