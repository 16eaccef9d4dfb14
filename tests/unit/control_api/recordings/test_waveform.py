"""Fewer cells for fewer pixels: every peak is still there."""

from array import array
from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from control_api.recordings.waveform import drawn

int8 = st.integers(-128, 127)


def document(channels: int, peaks: list[int], levels: list[int]) -> dict[str, object]:
    """`waveform.json`."""
    return {
        "sample_rate": 48000,
        "samples_per_peak": 960,
        "channels": channels,
        "peaks": b64encode(array("b", peaks).tobytes()).decode(),
        "samples_per_level": 4800,
        "levels": [{"identity": "ann", "dbfs": b64encode(array("b", levels).tobytes()).decode()}],
    }


def test_without_pixels_the_cells_are_those_that_are_stored() -> None:
    """In their order."""
    peaks = [-1, 2, -3, 4, -5, 6, -7, 8]
    assert drawn(document(2, peaks, [-96, -6]), None) == {
        "sample_rate": 48000,
        "samples_per_pixel": 960,
        "channels": 2,
        "length": 2,
        "data": peaks,
        "levels": [{"identity": "ann", "ms_per_level": 100, "dbfs": [-96, -6]}],
    }


def test_cells_are_put_together_per_channel() -> None:
    """Three cells in two pixels: two and one."""
    peaks = [-1, 2, -30, 40, -5, 6, -7, 8, -9, 10, -11, 12]
    found = drawn(document(2, peaks, [-20, -6, -30]), 2)
    assert (found["samples_per_pixel"], found["length"]) == (1920, 2)
    assert found["data"] == [-5, 6, -30, 40, -9, 10, -11, 12]
    assert found["levels"] == [{"identity": "ann", "ms_per_level": 200, "dbfs": [-6, -30]}]


@given(st.lists(int8, max_size=60), st.integers(1, 70))
def test_no_peak_gets_lost_and_no_pixel_is_too_much(cells: list[int], pixels: int) -> None:
    """For any length and any picture."""
    found = drawn(document(1, [bound for cell in cells for bound in (cell, cell)], cells), pixels)
    assert len(found["data"]) == 2 * found["length"] <= 2 * pixels
    assert found["length"] * found["samples_per_pixel"] >= len(cells) * 960
    assert set(found["data"]) <= set(cells)
    if cells:
        assert (min(found["data"]), max(found["data"])) == (min(cells), max(cells))
        assert max(found["levels"][0]["dbfs"]) == max(cells)


def test_a_recording_of_nothing_has_no_cells() -> None:
    """No length, no pixel."""
    assert drawn(document(1, [], []), 10)["length"] == 0
