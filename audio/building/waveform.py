"""A recording as a picture for the terminal, drawn with block characters."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from audio.levels import dbfs
from audio.pcm import SAMPLE_RATE

_RISING = " ▁▂▃▄▅▆▇█"
# Unicode has only these three blocks that hang from the top.
_HANGING = "  ▔▔▀▀▀▀█"
_QUIETEST_DBFS = -60.0
_STEPS = 8


def draw_waveform(recording: str | Path | soundfile.SoundFile, columns: int = 72, rows: int = 1) -> list[str]:
    """Return one line of `columns` characters per row: for each channel `rows` above the middle and `rows` below.

    A column shows the peaks of its stretch, from -60 dBFS (nothing) to full scale (all rows). The file is streamed
    from where it stands if it is an open SoundFile, from its start if it is a path. Raises ValueError for fewer than
    one column or row.
    """
    if columns < 1 or rows < 1:
        raise ValueError("a waveform needs at least one column and one row")
    if isinstance(recording, str | Path):
        with soundfile.SoundFile(recording) as opened:
            return draw_waveform(opened, columns, rows)
    peaks = _column_peaks(recording, columns)
    lines: list[str] = []
    for channel in range(recording.channels):
        above = [_steps(peak, rows) for peak in peaks[:, channel, 0]]
        below = [_steps(peak, rows) for peak in peaks[:, channel, 1]]
        lines += [_draw_row(above, row, _RISING) for row in reversed(range(rows))]
        lines += [_draw_row(below, row, _HANGING) for row in range(rows)]
    return lines


def _column_peaks(recording: soundfile.SoundFile, columns: int) -> NDArray[np.int32]:
    """Return the largest magnitude per column, channel and side of zero: shape (columns, channels, 2)."""
    peaks = np.zeros((columns, recording.channels, 2), dtype=np.int32)
    position, total = recording.seek(0, 1), recording.frames
    first = position
    for column in range(columns):
        column_end = first + (total - first) * (column + 1) // columns
        while position < column_end:
            block = recording.read(min(column_end - position, SAMPLE_RATE), dtype="int16", always_2d=True)
            if len(block) == 0:
                return peaks
            position += len(block)
            peaks[column, :, 0] = np.maximum(peaks[column, :, 0], block.max(axis=0))
            peaks[column, :, 1] = np.maximum(peaks[column, :, 1], -block.min(axis=0).astype(np.int32))
    return peaks


def _steps(peak: int, rows: int) -> int:
    share = 1.0 - dbfs(float(peak)) / _QUIETEST_DBFS
    return round(max(share, 0.0) * rows * _STEPS)


def _draw_row(steps: list[int], row: int, blocks: str) -> str:
    return "".join(blocks[min(max(step - row * _STEPS, 0), _STEPS)] for step in steps)
