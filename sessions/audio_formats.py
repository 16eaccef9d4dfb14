"""The forms in which a recording is kept and served: WAV is built, the others are made from it."""

from typing import Literal, get_args

AudioFormat = Literal["wav", "flac", "opus", "mp3"]
MadeFormat = Literal["flac", "opus", "mp3"]

AUDIO_FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)
MADE_FORMATS: tuple[MadeFormat, ...] = get_args(MadeFormat)
"""In the order in which a session's files are made: the quickest first."""

MEDIA_TYPES: dict[AudioFormat, str] = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "opus": "audio/ogg",  # RFC 7845: the file's name ends in .opus
    "mp3": "audio/mpeg",
}
