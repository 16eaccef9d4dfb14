"""The picture of a recording shows where it is loud."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.building.waveform import draw_waveform
from audio.sine import sine_block


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    """Left: full-scale second, then silence; right: a second of silence, then the sine."""
    path = tmp_path / "stereo.wav"
    silence = np.zeros(48_000, dtype=np.int16)
    loud = np.resize(np.array([32_767, -32_768], dtype=np.int16), 48_000)
    left, right = np.concatenate([loud, silence]), np.concatenate([silence, sine_block(0, 48_000)])
    soundfile.write(path, np.stack([left, right], axis=1), 48_000, subtype="PCM_16")
    return path


def test_each_channel_has_a_row_above_and_below(stereo: Path) -> None:
    """Loud left half on the left channel, quieter right half on the right one."""
    assert draw_waveform(stereo, columns=8) == ["████    ", "████    ", "    ▅▅▅▅", "    ▀▀▀▀"]


def test_more_rows_show_more(stereo: Path) -> None:
    """With three rows per half the sine at -20 dBFS fills two of them."""
    lines = draw_waveform(stereo, columns=2, rows=3)

    assert lines == ["█ ", "█ ", "█ ", "█ ", "█ ", "█ ", "  ", " █", " █", " █", " █", "  "]


def test_an_open_file_is_drawn_too(stereo: Path) -> None:
    """What was opened by the caller stays open."""
    with soundfile.SoundFile(stereo) as opened:
        assert draw_waveform(opened, columns=8) == draw_waveform(stereo, columns=8)
        assert opened.seek(0) == 0


def test_an_open_file_is_drawn_from_where_it_stands(stereo: Path) -> None:
    """Its second half is what the columns share."""
    with soundfile.SoundFile(stereo) as opened:
        opened.seek(48_000)
        assert draw_waveform(opened, columns=2) == ["  ", "  ", "▅▅", "▀▀"]


def test_each_side_of_zero_and_each_sample_counts(tmp_path: Path) -> None:
    """A column of one sample, one channel; a loud second is not forgotten for a quiet one behind it."""
    lopsided = np.array([32_767, 0, -32_768], dtype=np.int16)
    for samples, columns in ((lopsided, 3), (np.repeat(lopsided, [96_000, 96_000, 96_000]), 3)):
        soundfile.write(tmp_path / "mono.wav", samples, 48_000, subtype="PCM_16")
        assert draw_waveform(tmp_path / "mono.wav", columns) == ["█  ", "  █"]
    soundfile.write(tmp_path / "mono.wav", np.repeat(lopsided, [1, 96_000, 1]), 48_000, subtype="PCM_16")
    assert draw_waveform(tmp_path / "mono.wav", columns=1) == ["█", "█"]


def test_a_file_shorter_than_the_columns_is_drawn(tmp_path: Path) -> None:
    """No samples, no ink, no error."""
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, dtype=np.int16), 48_000, subtype="PCM_16")

    assert draw_waveform(tmp_path / "empty.wav", columns=3) == ["   ", "   "]


@pytest.mark.parametrize(("columns", "rows"), [(0, 1), (1, 0)])
def test_a_picture_of_no_size_is_refused(stereo: Path, columns: int, rows: int) -> None:
    """At least one character is needed."""
    with pytest.raises(ValueError, match="column"):
        draw_waveform(stereo, columns=columns, rows=rows)
