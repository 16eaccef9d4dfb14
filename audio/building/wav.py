"""The product's file: PCM_16 in WAV, or in RF64 where WAV's 32-bit sizes end, with a header that says where it is from.

The length is known before, so the header is written once and never mended. libsndfile would write it too, but for the
`bext` chunk (EBU Tech 3285), by which editors place a file on the clock: its Python binding has no way to it.
"""

import hashlib
import io
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.plan import Origin

WAV_LIMIT_BYTES = (4 << 30) - (64 << 10)
"""The most bytes of samples in a WAV file; 64 KiB of its 4 GiB are left for chunks."""

_SAMPLE_BYTES = 2
_UNKNOWN = 0xFFFF_FFFF  # RF64: the size is in ds64


def container_format(length_samples: int, num_channels: int) -> Literal["WAV", "RF64"]:
    """What holds so many samples of each channel."""
    return "RF64" if length_samples * num_channels * _SAMPLE_BYTES > WAV_LIMIT_BYTES else "WAV"


@dataclass(frozen=True, slots=True)
class WavLabel:
    """What the file says of itself: where it comes from, and who alone is heard in it (None: everybody)."""

    origin: Origin
    identity: str | None = None


class WavWriter:
    """Writes samples behind a header that has told how many will come."""

    def __init__(self, file: BinaryIO) -> None:
        self.written_samples = 0
        self._file = file

    def write(self, pcm: Pcm) -> None:
        """Append samples of shape (n, channels). Raises OSError if not all could be written (a full disk)."""
        if pcm.size:
            self.write_bytes(np.ascontiguousarray(pcm, dtype="<i2").data.cast("B"))
            self.written_samples += len(pcm)

    def write_bytes(self, data: bytes | memoryview) -> None:
        """Append what is no sample."""
        with _write_errors():
            written = self._file.write(data)
        if written != memoryview(data).nbytes:
            raise OSError("the recording could not be written: no more of it was taken")

    def flush(self) -> None:
        """Hand everything to the system. Raises OSError."""
        with _write_errors():
            self._file.flush()


@contextmanager
def open_wav(
    write_to: str | Path | BinaryIO, length_samples: int, num_channels: int, label: WavLabel | None = None
) -> Iterator[WavWriter]:
    """Open a file to write `length_samples` to; it is whole when the block is left.

    Raises OSError if it can't be opened or written, or has another length than was said.
    """
    with ExitStack() as stack:
        if isinstance(write_to, str | Path):
            with _write_errors():
                write_to = stack.enter_context(open(write_to, "wb"))
        writer = WavWriter(write_to)
        writer.write_bytes(wav_header(length_samples, num_channels, label))
        yield writer
        writer.flush()
    if writer.written_samples != length_samples:
        raise OSError("the recording has another length than was planned")


@contextmanager
def _write_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"the recording could not be written: {error.strerror}") from error


def wav_header(length_samples: int, num_channels: int, label: WavLabel | None = None) -> bytes:
    """Everything before the samples; `fmt ` comes first, where simple readers look for it."""
    frame_bytes = num_channels * _SAMPLE_BYTES
    data_bytes = length_samples * frame_bytes
    told = b"" if label is None else _chunk(b"bext", _bext(label, num_channels)) + _chunk(b"LIST", _info(label))
    fmt = struct.pack("<HHIIHH", 1, num_channels, SAMPLE_RATE, SAMPLE_RATE * frame_bytes, frame_bytes, 16)
    chunks = _chunk(b"fmt ", fmt) + told
    if container_format(length_samples, num_channels) == "WAV":
        riff_bytes = len(b"WAVE") + len(chunks) + 8 + data_bytes
        return b"RIFF" + struct.pack("<I", riff_bytes) + b"WAVE" + chunks + b"data" + struct.pack("<I", data_bytes)
    ds64_bytes = 28
    riff_bytes = len(b"WAVE") + 8 + ds64_bytes + len(chunks) + 8 + data_bytes
    ds64 = _chunk(b"ds64", struct.pack("<QQQI", riff_bytes, data_bytes, length_samples, 0))
    unknown = struct.pack("<I", _UNKNOWN)
    return b"RF64" + unknown + b"WAVE" + ds64 + chunks + b"data" + unknown


def digest(written: str | Path | BinaryIO) -> tuple[str, int]:
    """Return (SHA-256 in hex, size in bytes) of a path or of a seekable, readable file object, left at its end."""
    if isinstance(written, str | Path):
        with open(written, "rb") as file:
            return digest(file)
    written.seek(0)
    sha256 = hashlib.file_digest(written, "sha256")  # type: ignore[arg-type] # a BinaryIO that reads into buffers
    return sha256.hexdigest(), written.seek(0, io.SEEK_END)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _bext(label: WavLabel, num_channels: int) -> bytes:
    """Version 1 of EBU Tech 3285; the time reference counts samples from midnight (UTC)."""
    started_at = label.origin.started_at.astimezone(UTC)
    midnight = started_at.replace(hour=0, minute=0, second=0, microsecond=0)
    time_reference = (started_at - midnight) // timedelta(microseconds=1) * SAMPLE_RATE // 1_000_000
    history = f"A=PCM,F={SAMPLE_RATE},W=16,M={'stereo' if num_channels == 2 else 'mono'},T=Parley\r\n"
    fixed = struct.pack(
        "<256s32s32s10s8sQH64s190x",
        _ascii(_comment(label), 255),
        b"Parley",
        _ascii(label.origin.session_id, 32),
        started_at.strftime("%Y-%m-%d").encode(),
        started_at.strftime("%H:%M:%S").encode(),
        time_reference,
        1,
        b"",  # no UMID
    )
    return fixed + history.encode()


def _info(label: WavLabel) -> bytes:
    """What players show: name, date, comment, software."""
    name = label.origin.session_id if label.identity is None else f"{label.identity} ({label.origin.session_id})"
    date = label.origin.started_at.astimezone(UTC).strftime("%Y-%m-%d")
    told = ((b"INAM", name), (b"ICRD", date), (b"ICMT", _comment(label)), (b"ISFT", "Parley"))
    return b"INFO" + b"".join(_chunk(key, text.encode(errors="replace") + b"\0") for key, text in told)


def _comment(label: WavLabel) -> str:
    started_at = label.origin.started_at.astimezone(UTC)
    whole = f"session {label.origin.session_id}, started {started_at.isoformat(timespec='milliseconds')}"
    return whole.replace("+00:00", "Z") + ("" if label.identity is None else f", {label.identity} alone")


def _ascii(text: str, most: int) -> bytes:
    return text.encode("ascii", errors="replace")[:most]
