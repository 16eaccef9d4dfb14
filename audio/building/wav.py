"""The product's file: PCM_16 in WAV, or in RF64 where WAV's 32-bit sizes end."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import soundfile

from audio.pcm import SAMPLE_RATE, Pcm

WAV_LIMIT_BYTES = (4 << 30) - (64 << 10)
"""Beyond this libsndfile writes a wrong WAV header without an error; the 64 KiB leave room for chunks."""


def container_format(length_samples: int, num_channels: int) -> Literal["WAV", "RF64"]:
    """Choose from the planned length, before the file is opened."""
    return "RF64" if length_samples * num_channels * 2 > WAV_LIMIT_BYTES else "WAV"


@contextmanager
def open_wav(write_to: str | Path | BinaryIO, length_samples: int, num_channels: int) -> Iterator[soundfile.SoundFile]:
    """Open a file to write `length_samples` to; it is whole when the block is left.

    Raises OSError if it can't be opened or written (libsndfile doesn't say more than that).
    """
    container = container_format(length_samples, num_channels)
    try:
        with soundfile.SoundFile(
            write_to, "w", samplerate=SAMPLE_RATE, channels=num_channels, subtype="PCM_16", format=container
        ) as wav:
            yield wav
    except soundfile.LibsndfileError as error:
        raise OSError(f"the recording could not be written: {error}") from error


def write_samples(wav: soundfile.SoundFile, pcm: Pcm) -> None:
    """Append samples of shape (n, channels). Raises OSError if not all could be written (a full disk)."""
    try:
        wav.write(pcm)
    except (soundfile.LibsndfileError, AssertionError) as error:
        # soundfile only asserts the count when a file object wrote less than it was given.
        raise OSError(f"the recording could not be written: {error}") from error


def digest(written: str | Path | BinaryIO) -> tuple[str, int]:
    """Return (SHA-256 in hex, size in bytes) of a path or of a seekable, readable file object, left at its end."""
    if isinstance(written, str | Path):
        with open(written, "rb") as file:
            return digest(file)
    written.seek(0)
    sha256 = hashlib.file_digest(written, "sha256")  # type: ignore[arg-type] # a BinaryIO that reads into buffers
    return sha256.hexdigest(), written.seek(0, io.SEEK_END)
