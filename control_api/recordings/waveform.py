"""The waveform of a recording: the stored cells, or fewer and larger ones for a picture of so many pixels."""

from array import array
from base64 import b64decode
from typing import Any


def drawn(document: dict[str, Any], pixels: int | None) -> dict[str, Any]:
    """The members `sample_rate`, `samples_per_pixel`, `channels`, `length`, `data` and `levels` of the answer.

    Args:
        document: `waveform.json`.
        pixels: at most so many cells; None: as they are stored.
    """
    channels: int = document["channels"]
    peaks = _int8(document["peaks"])
    cells = len(peaks) // (2 * channels)
    together = _together(cells, pixels)
    ms_per_level = document["samples_per_level"] * 1000 // document["sample_rate"]
    data: list[int] = []
    for first in range(0, cells, together):
        part = peaks[first * 2 * channels : (first + together) * 2 * channels]
        for channel in range(channels):
            data.append(min(part[2 * channel :: 2 * channels]))
            data.append(max(part[2 * channel + 1 :: 2 * channels]))
    return {
        "sample_rate": document["sample_rate"],
        "samples_per_pixel": document["samples_per_peak"] * together,
        "channels": channels,
        "length": -(-cells // together),
        "data": data,
        "levels": [_levels(one["identity"], _int8(one["dbfs"]), ms_per_level, pixels) for one in document["levels"]],
    }


def _levels(identity: str, dbfs: "array[int]", ms_per_level: int, pixels: int | None) -> dict[str, Any]:
    together = _together(len(dbfs), pixels)
    return {
        "identity": identity,
        "ms_per_level": ms_per_level * together,
        "dbfs": [max(dbfs[first : first + together]) for first in range(0, len(dbfs), together)],
    }


def _together(cells: int, pixels: int | None) -> int:
    """How many cells become one, so that there are at most so many as pixels."""
    return 1 if pixels is None else max(-(-cells // pixels), 1)


def _int8(encoded: str) -> "array[int]":
    return array("b", b64decode(encoded))
