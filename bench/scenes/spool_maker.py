"""Writes the segments that a recorder would have stored: tracks that repeat made-up speech, or given audio."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.segments import SegmentKey, encode_audio, encode_header, encode_track, segment_key

FRAME_SAMPLES = SAMPLE_RATE // 10
OWNER = "00000000-0000-0000-0000-00000000beac"


def write_segments(
    folder: Path, session_id: str, *, minutes: float, segment_seconds: float, loops: Sequence[Pcm] | None = None
) -> list[tuple[SegmentKey, Path]]:
    """The segments of one run that recorded `minutes` without a break, as files below `folder`.

    Args:
        loops: a track's samples, which repeat, of whole frames of 100 ms; None: two tracks of made-up speech.
    """
    if loops is None:
        speech = _speech()
        loops = [np.roll(speech, -track * SAMPLE_RATE) for track in (1, 2)]
    written = []
    for data, sequence in _segments(session_id, minutes * 60, segment_seconds, loops):
        key = segment_key(data, sequence)
        assert key.crc32 == zlib.crc32(data)
        path = folder / key.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append((key, path))
    return written


def _segments(
    session_id: str, seconds: float, segment_seconds: float, loops: Sequence[Pcm]
) -> Iterator[tuple[bytes, int]]:
    frames = int(seconds * SAMPLE_RATE) // FRAME_SAMPLES
    frames_per_segment = int(segment_seconds * SAMPLE_RATE) // FRAME_SAMPLES
    for sequence, first in enumerate(range(0, frames, frames_per_segment)):
        start = first * FRAME_SAMPLES
        parts = [encode_header(session_id, 1, OWNER, start)]
        number = 0
        for track in range(1, len(loops) + 1):
            parts.append(
                encode_track(
                    track, number, identity=f"talker-{track}", name="microphone", sid=f"TR_{track}", side="room"
                )
            )
            number += 1
        for frame in range(first, min(first + frames_per_segment, frames)):
            sample = frame * FRAME_SAMPLES
            for track, loop in enumerate(loops, start=1):
                offset = sample % len(loop)
                pcm = loop[offset : offset + FRAME_SAMPLES]
                parts.append(encode_audio(track, number, sample, sample + FRAME_SAMPLES, pcm))
                number += 1
        yield b"".join(parts), sequence


def _speech() -> Pcm:
    """Noise that swells and fades four times a second, loud enough for the limiter to have work at times."""
    random = np.random.default_rng(7)
    samples = SAMPLE_RATE * 7
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(samples) / SAMPLE_RATE)
    noise: Pcm = (random.normal(0, 5800, samples) * envelope).astype(np.int16)
    return noise
