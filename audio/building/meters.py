"""What is learned of a recording while it is built: peaks, levels, loudness."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from audio.building.loudness import Loudness, LoudnessMeter
from audio.building.peaks import LevelMeter, PeakMeter
from audio.pcm import Pcm
from audio.segments.track_tally import TrackLabel


class TrackLoudness(TypedDict):
    """How loud one track was, by itself."""

    identity: str
    sid: str
    side: str
    integrated_lufs: float | None
    true_peak_dbtp: float | None


@dataclass(slots=True)
class _TrackMeter:
    loudness: LoudnessMeter
    position: int = 0


class BuildMeters:
    """Hears the file as it is written, and each track as it is read, at the file's times."""

    def __init__(self, length_samples: int, num_channels: int) -> None:
        self.peaks = PeakMeter(length_samples, num_channels)
        self.levels = LevelMeter(length_samples)
        self._mix = LoudnessMeter(num_channels)
        self._tracks: dict[TrackLabel, _TrackMeter] = {}

    def hear_mix(self, pcm: Pcm) -> None:
        """The file's next samples, shape (num_channels, n), n > 0."""
        self.peaks.push(pcm)
        self._mix.push(pcm)

    def hear_track(self, label: TrackLabel, start_sample: int, pcm: Pcm) -> None:
        """What comes next of a track, shape (n,), n > 0; before it there was silence."""
        if label.side == "room":
            self.levels.add(label.identity, start_sample, pcm)
        meter = self._tracks.setdefault(label, _TrackMeter(LoudnessMeter(1)))
        if start_sample > meter.position:
            meter.loudness.push_silence(start_sample - meter.position)
        again = max(meter.position - start_sample, 0)  # two runs may have recorded the same stretch
        meter.loudness.push(pcm[np.newaxis, again:])
        meter.position = max(meter.position, start_sample + len(pcm))

    def loudness_of_mix(self) -> Loudness:
        """To be called once, at the end."""
        return self._mix.finish()

    def loudness_of_tracks(self) -> Iterator[TrackLoudness]:
        """Of each track, in one order; to be called once, at the end."""
        for label in sorted(self._tracks, key=lambda label: (label.identity, label.sid, label.side)):
            found = self._tracks[label].loudness.finish()
            yield TrackLoudness(
                identity=label.identity,
                sid=label.sid,
                side=label.side,
                integrated_lufs=found.integrated_lufs,
                true_peak_dbtp=found.true_peak_dbtp,
            )
