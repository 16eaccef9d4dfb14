"""Fewer cells for fewer pixels: every peak is still there."""

import json
import tracemalloc
from array import array
from base64 import b64encode
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_api.outputs.recordings.models import WaveformResource
from control_api.outputs.recordings.waveform import drawn

NAME = 'say "peaks", Ünal'
HOUR = 3600 * 50  # cells
int8 = st.integers(-128, 127)


def answer(channels: int, peaks: list[int], levels: list[int], pixels: int | None) -> dict[str, Any]:
    """What is answered for a `waveform.json` with these numbers."""
    document = json.dumps(stored(channels, peaks, levels)).encode()
    content: dict[str, Any] = json.loads(b"".join(drawn(document, pixels).json_pieces("sess_1")))
    return content


def stored(channels: int, peaks: list[int], levels: list[int]) -> dict[str, object]:
    """`waveform.json`, with the awkward name of a participant."""
    return {
        "sample_rate": 48000,
        "samples_per_peak": 960,
        "channels": channels,
        "peaks": b64encode(array("b", peaks).tobytes()).decode(),
        "samples_per_level": 4800,
        "levels": [{"identity": NAME, "dbfs": b64encode(array("b", levels).tobytes()).decode()}],
    }


def test_without_pixels_the_cells_are_those_that_are_stored() -> None:
    """In their order."""
    peaks = [-1, 2, -3, 4, -5, 6, -7, 8]
    assert answer(2, peaks, [-96, -6], None) == {
        "object": "waveform",
        "session_id": "sess_1",
        "bits": 8,
        "sample_rate": 48000,
        "samples_per_pixel": 960,
        "channels": 2,
        "length": 2,
        "data": peaks,
        "levels": [{"identity": NAME, "ms_per_level": 100, "dbfs": [-96, -6]}],
    }


@pytest.mark.parametrize("name", ["peaks", '"peaks"', '"peaks":', "dbfs"])
def test_nobodys_name_is_taken_for_a_member(name: str) -> None:
    """The document is written with its members in order, so that levels come before peaks."""
    document = stored(1, [-1, 2], [-6])
    document["levels"] = [{"identity": name, "dbfs": "+g=="}]
    found = drawn(json.dumps(document, indent=2, sort_keys=True).encode(), None)
    assert list(found.data) == [-1, 2]
    assert [(one.identity, list(one.dbfs)) for one in found.levels] == [(name, [-6])]


def test_cells_are_put_together_per_channel() -> None:
    """Three cells in two pixels: two and one."""
    peaks = [-1, 2, -30, 40, -5, 6, -7, 8, -9, 10, -11, 12]
    found = answer(2, peaks, [-20, -6, -30], 2)
    assert (found["samples_per_pixel"], found["length"]) == (1920, 2)
    assert found["data"] == [-5, 6, -30, 40, -9, 10, -11, 12]
    assert found["levels"] == [{"identity": NAME, "ms_per_level": 200, "dbfs": [-6, -30]}]


@given(st.lists(int8, max_size=60), st.integers(1, 70))
def test_no_peak_gets_lost_and_no_pixel_is_too_much(cells: list[int], pixels: int) -> None:
    """For any length and any picture."""
    found = answer(1, [bound for cell in cells for bound in (cell, cell)], cells, pixels)
    assert len(found["data"]) == 2 * found["length"] <= 2 * pixels
    assert found["length"] * found["samples_per_pixel"] >= len(cells) * 960
    assert set(found["data"]) <= set(cells)
    if cells:
        assert (min(found["data"]), max(found["data"])) == (min(cells), max(cells))
        assert max(found["levels"][0]["dbfs"]) == max(cells)


def test_a_recording_of_nothing_has_no_cells() -> None:
    """No length, no pixel."""
    assert answer(1, [], [], 10)["length"] == 0


def test_the_answer_is_what_the_document_of_the_api_says() -> None:
    """Byte for byte as the model would write it, over several pieces."""
    numbers = list(islice(cycle(range(-128, 128)), 40_000))
    pieces = list(drawn(json.dumps(stored(2, numbers, numbers)).encode(), None).json_pieces("sess_1"))
    assert len(pieces) > 5
    body = b"".join(pieces)
    assert body == WaveformResource.model_validate_json(body).model_dump_json().encode()


def test_an_hour_takes_some_bytes_for_a_number() -> None:
    """In stereo, all of it and less: twice its bytes and 1 MiB beside the stored document, and no piece is long."""
    cells = array("b", islice(cycle(range(-128, 128)), HOUR * 4)).tobytes()
    document = json.dumps({**stored(2, [], [-6] * (HOUR // 5)), "peaks": b64encode(cells).decode()}).encode()
    for pixels in (None, 1000):
        tracemalloc.start()
        longest = max(len(piece) for piece in drawn(document, pixels).json_pieces("sess_1"))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 2 * len(cells) + (1 << 20)
        assert longest < 64 << 10
