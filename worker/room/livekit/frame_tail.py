"""The samples behind a track's last whole frame, which the library drops when the track ends. Pure.

They are taken from a second stream of the same track with smaller frames. Both streams carry the same samples, so the
end of the last large frame is found among the small ones, and what follows it is the rest.
"""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS

Stereo = NDArray[np.int16]
"""Of shape (n, 2)."""

PIECE_SAMPLES = SAMPLE_RATE // 100
"""What the library hands to both streams at a time: a frame of either begins and ends where a piece does."""

_KEPT_PIECES = 40  # more than a large frame has, and than may lie between the arrivals of the same samples
_MOST_PIECES = 10  # a rest has no more; a large frame has as many
_APART_NS = SECOND_NS // 5  # the same samples arrive in both streams within this


class _Piece(NamedTuple):
    arrival_ns: int  # of its last sample
    pcm: Stereo


class FrameTail:
    """Takes the frames of both streams of one track; `rest` is what the large ones lack at its end."""

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque(maxlen=_KEPT_PIECES)
        self._last: _Piece | None = None

    def take_large(self, arrival_ns: int, pcm: Stereo) -> None:
        """Note a whole frame that arrived at `arrival_ns` (boot-time clock) and is recorded."""
        self._last = _Piece(arrival_ns, pcm[-PIECE_SAMPLES:].copy())

    def take_small(self, arrival_ns: int, pcm: Stereo) -> None:
        """Keep a frame of the other stream, of one piece or several."""
        for start in range(0, len(pcm), PIECE_SAMPLES):
            early_ns = max(len(pcm) - start - PIECE_SAMPLES, 0) * SECOND_NS // SAMPLE_RATE
            self._pieces.append(_Piece(arrival_ns - early_ns, pcm[start : start + PIECE_SAMPLES].copy()))

    def rest(self) -> tuple[int, Stereo] | None:
        """What follows the last large frame and when its last sample arrived; None: nothing, or it is not known where
        that frame ends."""
        if self._last is None:
            return None
        pieces, last = list(self._pieces), self._last
        ends = [
            (abs(piece.arrival_ns - last.arrival_ns), index)
            for index, piece in enumerate(pieces)
            if abs(piece.arrival_ns - last.arrival_ns) < _APART_NS and np.array_equal(piece.pcm, last.pcm)
        ]
        rest = pieces[min(ends)[1] + 1 :] if ends else []
        if not 0 < len(rest) <= _MOST_PIECES:
            return None
        return rest[-1].arrival_ns, np.concatenate([piece.pcm for piece in rest])
