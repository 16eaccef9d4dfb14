"""PCM as others send it, any rate and number of channels, to what is recorded: 48 kHz, one channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import soxr

from audio.pcm import SAMPLE_RATE, Pcm

MIN_RATE = 8_000
MAX_RATE = 192_000
MAX_CHANNELS = 8
_NOTHING: Pcm = np.zeros(0, np.int16)


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Interleaved little-endian int16: frames per second, and samples per frame."""

    sample_rate: int
    num_channels: int

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, str]) -> Self:
        """What a byte stream says about itself, as livekit-agents writes it: decimal `sample_rate`, `num_channels`.

        Raises:
            ValueError: they are missing, no numbers, or none that PCM of voices has; the text names which.
        """
        return cls(
            _number("sample_rate", attributes, MIN_RATE, MAX_RATE),
            _number("num_channels", attributes, 1, MAX_CHANNELS),
        )


class PcmDecoder:
    """Decodes one stream, cut anywhere. Channels are averaged.

    The resampler keeps some 30 ms back until more comes or `flush` is called; the count in all is exact to a sample.
    """

    def __init__(self, pcm_format: PcmFormat) -> None:
        self._num_channels = pcm_format.num_channels
        self._frame_bytes = 2 * pcm_format.num_channels
        self._rest = b""
        self._resampler: soxr.ResampleStream | None = None
        if pcm_format.sample_rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(pcm_format.sample_rate, SAMPLE_RATE, 1, dtype="int16")

    def decode(self, data: bytes) -> Pcm:
        """Samples of shape (n,) at 48 kHz for bytes of any length, also none."""
        data = self._rest + data
        whole = len(data) - len(data) % self._frame_bytes
        self._rest = data[whole:]
        frames = np.frombuffer(data[:whole], dtype="<i2").reshape(-1, self._num_channels)
        return self._resampled(_mixed_down(frames), last=False)

    def flush(self) -> Pcm:
        """What was kept back, at the end of the stream; half a frame is left out."""
        self._rest = b""
        return self._resampled(_NOTHING, last=True)

    def _resampled(self, pcm: Pcm, *, last: bool) -> Pcm:
        if self._resampler is None or (len(pcm) == 0 and not last):
            return pcm
        resampled: Pcm = self._resampler.resample_chunk(pcm, last=last)
        return resampled


def _mixed_down(frames: Pcm) -> Pcm:
    """Frames of shape (n, channels) as one channel."""
    if frames.shape[1] == 1:
        return frames[:, 0].astype(np.int16)
    mixed: Pcm = np.rint(frames.mean(axis=1)).astype(np.int16)
    return mixed


def _number(name: str, attributes: Mapping[str, str], least: int, most: int) -> int:
    text = attributes.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= most):
        raise ValueError(name)
    return int(text)
