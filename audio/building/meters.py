"""What is learned of a recording while it is built: peaks, levels, loudness."""

from copy import copy
from dataclasses import dataclass
from itertools import groupby
from typing import TypedDict

import numpy as np

from audio.building.loudness import HOP_SAMPLES, FoldedLoudness, Loudness, LoudnessMeter
from audio.building.peaks import LevelMeter, PeakMeter
from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.track_tally import TrackLabel


class ParticipantLoudness(TypedDict):
    """How loud one participant was, by themselves: as in a file as long as the recording, of all of their tracks."""

    identity: str
    integrated_lufs: float | None
    true_peak_dbtp: float | None


class TrackLoudness(ParticipantLoudness):
    """How loud one track was, by itself."""

    sid: str
    side: str


@dataclass(frozen=True, slots=True)
class RecordingLoudness:
    """Of the mix, and of those who are in it, in one order."""

    mix: Loudness
    tracks: list[TrackLoudness]
    participants: list[ParticipantLoudness]


_RESTING_SAMPLES = 120 * SAMPLE_RATE
_STILL_COMING_SAMPLES = 60 * SAMPLE_RATE  # segments of several runs lie in each other by less


@dataclass(slots=True)
class _TrackMeter:
    loudness: LoudnessMeter
    position: int = 0

    def ended(self) -> Loudness:
        """What is told of the track if nothing more of it comes: the silence behind it does not count."""
        return copy(self.loudness).finish().loudness()

    def silent_until(self, sample: int) -> FoldedLoudness:
        """All that was found, with the silence up to there."""
        self.loudness.push_silence(max(sample - self.position, 0))
        return self.loudness.finish()


@dataclass(frozen=True, slots=True)
class _RestingMeter:
    """`ended`: what is told of the track unless it is heard again."""

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
        self._length = length_samples
        self._mix = LoudnessMeter(num_channels)
        self._tracks: dict[TrackLabel, _TrackMeter] = {}  # who was heard last comes last
        self._resting: dict[TrackLabel, _RestingMeter] = {}

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

    def loudness(self) -> RecordingLoudness:
        """To be called once, at the end."""
        ended = {label: resting.ended for label, resting in self._resting.items()}
        ended |= {label: meter.ended() for label, meter in self._tracks.items()}
        folded = {label: resting.folded for label, resting in self._resting.items()}
        folded |= {label: meter.silent_until(self._length) for label, meter in self._tracks.items()}
        labels = sorted(ended, key=lambda label: (label.identity, label.sid, label.side))
        tracks = [
            TrackLoudness(**_loudness_of(label.identity, ended[label]), sid=label.sid, side=label.side)
            for label in labels
        ]
        participants = [
            _loudness_of(identity, FoldedLoudness.together(folded[label] for label in own).loudness())
            for identity, own in groupby(labels, key=lambda label: label.identity)
        ]
        return RecordingLoudness(self._mix.finish().loudness(), tracks, participants)

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
            ended = meter.ended()
            meter.loudness.push_silence(until - meter.position)
            self._resting[label] = _RestingMeter(meter.loudness.fold(), until, ended)


def _loudness_of(identity: str, found: Loudness) -> ParticipantLoudness:
    return ParticipantLoudness(
        identity=identity, integrated_lufs=found.integrated_lufs, true_peak_dbtp=found.true_peak_dbtp
    )
