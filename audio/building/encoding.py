"""From a WAV file to the same recording in another form, a second at a time: memory doesn't depend on the length."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import soundfile

EncodedFormat = Literal["flac", "opus", "mp3"]

_BLOCK_SECONDS = 1


@dataclass(frozen=True, slots=True)
class _Codec:
    """libsndfile's names, and in which type it is given samples (it makes noise of int16 that is to be stereo MP3)."""

    container: str
    subtype: str
    dtype: Literal["int16", "float32"] = "int16"
    bitrate_mode: str | None = None
    compression_level: float | None = None


# MP3 at a constant rate (96 kbit/s): players find places in it without a table.
_CODECS: dict[EncodedFormat, _Codec] = {
    "flac": _Codec("FLAC", "PCM_16"),
    "opus": _Codec("OGG", "OPUS"),
    "mp3": _Codec("MP3", "MPEG_LAYER_III", "float32", "CONSTANT", 0.8),
}


class EncodingCanceledError(Exception):
    """Whoever wanted the file has gone."""


def encode(wav: Path, write_to: Path, form: EncodedFormat, canceled: threading.Event) -> int:
    """Write the recording `wav` to `write_to`; the number of its samples. It has as many in every form.

    A recording without samples has no other form: what libsndfile makes of it, nothing can read.

    Raises:
        EncodingCanceledError: `canceled` was set.
        OSError: the WAV file is empty or can't be read to its end, or the other one not be written (libsndfile says no
            more).
    """
    codec = _CODECS[form]
    try:
        with (
            soundfile.SoundFile(wav) as source,
            soundfile.SoundFile(
                write_to,
                "w",
                samplerate=source.samplerate,
                channels=source.channels,
                format=codec.container,
                subtype=codec.subtype,
                bitrate_mode=codec.bitrate_mode,
                compression_level=codec.compression_level,
            ) as target,
        ):
            if source.frames == 0:
                raise OSError("the WAV file is empty")
            done = 0
            while done < source.frames:
                if canceled.is_set():
                    raise EncodingCanceledError
                block = source.read(_BLOCK_SECONDS * source.samplerate, dtype=codec.dtype, always_2d=True)
                if len(block) == 0:
                    raise OSError(f"the WAV file ends after {done} of {source.frames} samples")
                target.write(block)
                done += len(block)
            return done
    except (soundfile.LibsndfileError, AssertionError) as error:
        raise OSError(f"the {form} file could not be written: {error}") from error
