"""What is learned of a recording while it is built: peaks, levels, loudness."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from audio.building.loudness import HOP_SAMPLES, FoldedLoudness, Loudness, LoudnessMeter
from audio.building.peaks import LevelMeter, PeakMeter
from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.track_tally import TrackLabel


class TrackLoudness(TypedDict):
    """How loud one track was, by itself."""

    identity: str
    sid: str
    side: str
    integrated_lufs: float | None
    true_peak_dbtp: float | None


_RESTING_SAMPLES = 120 * SAMPLE_RATE
_STILL_COMING_SAMPLES = 60 * SAMPLE_RATE  # segments of several runs lie in each other by less


@dataclass(slots=True)
class _TrackMeter:
    loudness: LoudnessMeter
    position: int = 0


@dataclass(frozen=True, slots=True)
class _RestingMeter:
    """`ended`: what is told unless it is heard again, since the silence behind a track does not count."""

    folded: FoldedLoudness
    position: int
    ended: Loudness

    def awake(self) -> _TrackMeter:
        return _TrackMeter(LoudnessMeter(1, self.folded), self.position)


class BuildMeters:
    """Hears the file as it is written, and each track as it is read, at the file's times.

    A track that has been silent for two minutes has no meter until it is heard again: who publishes a track for each
    sentence costs a kilobyte for each.
    """

    def __init__(self, length_samples: int, num_channels: int) -> None:
        self.peaks = PeakMeter(length_samples, num_channels)
        self.levels = LevelMeter(length_samples)
        self._mix = LoudnessMeter(num_channels)
        self._tracks: dict[TrackLabel, _TrackMeter] = {}  # who was heard last comes last
        self._resting: dict[TrackLabel, _RestingMeter] = {}

    @property
    def num_live(self) -> int:
        """How many tracks have a meter now."""
        return len(self._tracks)

    def hear_mix(self, pcm: Pcm) -> None:
        """The file's next samples, shape (num_channels, n), n > 0."""
        self.peaks.push(pcm)
        self._mix.push(pcm)

    def hear_track(self, label: TrackLabel, start_sample: int, pcm: Pcm) -> None:
        """What comes next of a track, shape (n,), n > 0; before it there was silence."""
        if label.side == "room":
            self.levels.add(label.identity, start_sample, pcm)
        meter = self._tracks.pop(label, None) or self._wake(label)
        self._tracks[label] = meter
        if start_sample > meter.position:
            meter.loudness.push_silence(start_sample - meter.position)
        again = max(meter.position - start_sample, 0)  # two runs may have recorded the same stretch
        meter.loudness.push(pcm[np.newaxis, again:])
        meter.position = max(meter.position, start_sample + len(pcm))
        self._rest_before(start_sample)

    def loudness_of_mix(self) -> Loudness:
        """To be called once, at the end."""
        return self._mix.finish()

    def loudness_of_tracks(self) -> Iterator[TrackLoudness]:
        """Of each track, in one order; to be called once, at the end."""
        labels = {*self._tracks, *self._resting}
        for label in sorted(labels, key=lambda label: (label.identity, label.sid, label.side)):
            found = self._resting[label].ended if label in self._resting else self._tracks[label].loudness.finish()
            yield TrackLoudness(
                identity=label.identity,
                sid=label.sid,
                side=label.side,
                integrated_lufs=found.integrated_lufs,
                true_peak_dbtp=found.true_peak_dbtp,
            )

    def _wake(self, label: TrackLabel) -> _TrackMeter:
        resting = self._resting.pop(label, None)
        return _TrackMeter(LoudnessMeter(1)) if resting is None else resting.awake()

    def _rest_before(self, sample: int) -> None:
        """Fold the meters of those that nothing was heard of for long."""
        until = (sample - _STILL_COMING_SAMPLES) // HOP_SAMPLES * HOP_SAMPLES
        while True:
            label, meter = next(iter(self._tracks.items()))
            if sample - meter.position <= _RESTING_SAMPLES:
                return
            del self._tracks[label]
            ended = copy(meter.loudness).finish()
            meter.loudness.push_silence(until - meter.position)
            self._resting[label] = _RestingMeter(meter.loudness.fold(), until, ended)
