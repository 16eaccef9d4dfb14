"""Writes the segments that a recorder would have stored: two tracks of made-up speech."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from audio import SAMPLE_RATE
from audio.segments import SegmentKey, encode_audio, encode_header, encode_track, segment_key

_FRAME_SAMPLES = SAMPLE_RATE // 10
_TRACKS = 2
OWNER = "00000000-0000-0000-0000-00000000beac"


def write_segments(
    folder: Path, session_id: str, *, minutes: int, segment_seconds: float
) -> list[tuple[SegmentKey, Path]]:
    """The segments of one run that recorded `minutes` without a break, as files below `folder`."""
    written = []
    for data, sequence in _segments(session_id, minutes * 60, segment_seconds):
        key = segment_key(data, sequence)
        assert key.crc32 == zlib.crc32(data)
        path = folder / key.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append((key, path))
    return written


def _segments(session_id: str, seconds: float, segment_seconds: float) -> Iterator[tuple[bytes, int]]:
    speech = _speech()
    frames = int(seconds * SAMPLE_RATE) // _FRAME_SAMPLES
    frames_per_segment = int(segment_seconds * SAMPLE_RATE) // _FRAME_SAMPLES
    for sequence, first in enumerate(range(0, frames, frames_per_segment)):
        start = first * _FRAME_SAMPLES
        parts = [encode_header(session_id, 1, OWNER, start)]
        number = 0
        for track in range(1, _TRACKS + 1):
            parts.append(
                encode_track(
                    track, number, identity=f"talker-{track}", name="microphone", sid=f"TR_{track}", side="room"
                )
            )
            number += 1
        for frame in range(first, min(first + frames_per_segment, frames)):
            sample = frame * _FRAME_SAMPLES
            for track in range(1, _TRACKS + 1):
                offset = (sample + track * SAMPLE_RATE) % (len(speech) - _FRAME_SAMPLES)
                pcm = speech[offset : offset + _FRAME_SAMPLES]
                parts.append(encode_audio(track, number, sample, sample + _FRAME_SAMPLES, pcm))
                number += 1
        yield b"".join(parts), sequence


def _speech() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Noise that swells and fades four times a second, loud enough for the limiter to have work at times."""
    random = np.random.default_rng(7)
    samples = SAMPLE_RATE * 7
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(samples) / SAMPLE_RATE)
    noise: np.ndarray[tuple[int], np.dtype[np.int16]] = (random.normal(0, 5000, samples) * envelope).astype(np.int16)
    return noise
