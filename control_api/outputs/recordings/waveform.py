"""The waveform of a recording: the stored cells, or fewer and larger ones for a picture of so many pixels.

Hours of sound are millions of numbers. They stay bytes, one each, until a piece of the answer is written.
"""

import json
from array import array
from base64 import b64decode
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_PEAKS = b'"peaks":'  # no text in it has these bytes: its quotation marks are escaped
_NUMBERS_AT_ONCE = 8192
_TEXTS = {number: str(number) for number in range(-128, 128)}


@dataclass(frozen=True, slots=True)
class Levels:
    """How loud one participant was.

    Attributes:
        dbfs: int8, one per cell.
    """

    identity: str
    ms_per_level: int
    dbfs: "array[int]"


@dataclass(frozen=True, slots=True)
class Waveform:
    """What is drawn.

    Attributes:
        data: int8; per pixel, per channel: minimum, maximum.
    """

    sample_rate: int
    samples_per_pixel: int
    channels: int
    data: "array[int]"
    levels: tuple[Levels, ...]

    def json_pieces(self, session_id: str) -> Iterator[bytes]:
        """The answer (`WaveformResource`), some ten KiB at a time."""
        head: dict[str, Any] = {"object": "waveform", "session_id": session_id, "sample_rate": self.sample_rate}
        head |= {"samples_per_pixel": self.samples_per_pixel, "bits": 8, "channels": self.channels}
        head |= {"length": len(self.data) // (2 * self.channels)}
        yield _json(head)[:-1] + b',"data":['
        yield from _numbers(self.data)
        yield b'],"levels":['
        for number, one in enumerate(self.levels):
            named = _json({"identity": one.identity, "ms_per_level": one.ms_per_level})
            yield (b"," if number else b"") + named[:-1] + b',"dbfs":['
            yield from _numbers(one.dbfs)
            yield b"]}"
        yield b"]}"


def drawn(document: bytes, pixels: int | None) -> Waveform:
    """What is drawn of a recording. Meant for a thread: it takes some tenths of a second for hours.

    Args:
        document: `waveform.json`.
        pixels: at most so many cells; None: as they are stored.
    """
    encoded, rest = _parted(document)
    stored = json.loads(rest)
    channels: int = stored["channels"]
    peaks = array("b", a2b_base64(encoded))
    cells = len(peaks) // (2 * channels)
    together = _together(cells, pixels)
    ms_per_level = stored["samples_per_level"] * 1000 // stored["sample_rate"]
    return Waveform(
        sample_rate=stored["sample_rate"],
        samples_per_pixel=stored["samples_per_peak"] * together,
        channels=channels,
        data=peaks if together == 1 else _fewer(peaks, channels, together),
        levels=tuple(_levels(one["identity"], one["dbfs"], ms_per_level, pixels) for one in stored["levels"]),
    )


def _parted(document: bytes) -> tuple[memoryview, bytes]:
    """The peaks in base64, and the document without them: they are most of it, and JSON would copy them twice."""
    start = document.index(b'"', document.index(_PEAKS) + len(_PEAKS)) + 1
    end = document.index(b'"', start)
    return memoryview(document)[start:end], document[:start] + document[end:]


def _fewer(peaks: "array[int]", channels: int, together: int) -> "array[int]":
    """`together` cells become one, which has their lowest minimum and their highest maximum."""
    width = 2 * channels
    data = array("b")
    for first in range(0, len(peaks), width * together):
        part = peaks[first : first + width * together]
        for channel in range(channels):
            data.append(_most(min, part[2 * channel :: width]))
            data.append(_most(max, part[2 * channel + 1 :: width]))
    return data


def _most(extreme: Callable[["array[int]"], int], cells: "array[int]") -> int:
    """The lowest or highest; in slices, between which other threads may run."""
    if len(cells) <= _NUMBERS_AT_ONCE:
        return extreme(cells)
    slices = range(0, len(cells), _NUMBERS_AT_ONCE)
    return extreme(array("b", [extreme(cells[first : first + _NUMBERS_AT_ONCE]) for first in slices]))


def _levels(identity: str, encoded: str, ms_per_level: int, pixels: int | None) -> Levels:
    dbfs = array("b", b64decode(encoded))
    together = _together(len(dbfs), pixels)
    if together > 1:
        dbfs = array("b", [_most(max, dbfs[first : first + together]) for first in range(0, len(dbfs), together)])
    return Levels(identity, ms_per_level * together, dbfs)


def _together(cells: int, pixels: int | None) -> int:
    """How many cells become one, so that there are at most so many as pixels."""
    return 1 if pixels is None else max(-(-cells // pixels), 1)


def _numbers(numbers: "array[int]") -> Iterator[bytes]:
    for first in range(0, len(numbers), _NUMBERS_AT_ONCE):
        text = ",".join(map(_TEXTS.__getitem__, numbers[first : first + _NUMBERS_AT_ONCE]))
        yield (("," if first else "") + text).encode()


def _json(members: dict[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
