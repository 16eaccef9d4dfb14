"""Each track of a recording by itself, at the rate that speech models want: 16 kHz mono, placed on the session's clock.

One pass over the segments, which holds only what the filters of those need who are heard: a listener can begin with the
first segment, and memory and time don't depend on how many tracks have ended.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import soxr

from audio.pcm import SAMPLE_RATE, SPEECH_RATE, Pcm
from audio.ranges import Range, kept_ranges, merged_ranges
from audio.segments.plan import BuildPlan
from audio.segments.read_back import read_back
from audio.segments.reading_order import contiguous_runs, epoch_ends, in_reading_order
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import RecordKind, SegmentRecord
from audio.segments.track_tally import TrackLabel, TrackTally

_NOTHING = np.zeros(0, dtype=np.int16)
_RESTING_SAMPLES = 30 * SAMPLE_RATE  # longer than a listener waits for anything, and than segments lie in each other


@dataclass(frozen=True, slots=True)
class TrackPiece:
    """What comes next on one track: silence up to `start_sample`, then `samples`.

    Attributes:
        start_sample: at 16 kHz from the session's start on; never before the end of the track's last piece.
        samples: int16 of shape (n,) at 16 kHz; empty when only the silence is known.
        rests: it has been silent for half a minute, and no more pieces come until it is heard again.
    """

    label: TrackLabel
    start_sample: int
    samples: Pcm
    rests: bool = False

    @property
    def end_sample(self) -> int:
        """The position after its last sample."""
        return self.start_sample + len(self.samples)


def read_tracks(
    plan: BuildPlan, read: Callable[[str], bytes], is_wanted: Callable[[TrackLabel], bool], lost: list[Range]
) -> Iterator[list[TrackPiece]]:
    """Yield what each segment adds to the tracks of those in the room, and how far the others are silent.

    `read` is that of `build_recording`: what it lacks is silent here too, and noted in `lost`, as samples [start, end)
    of the session's clock outside of pauses. A stretch without a hole goes through one filter, so that segments leave
    no seams.
    """
    cuts = merged_ranges(plan.cuts)
    ends = epoch_ends(plan)
    tally = TrackTally()
    tracks: dict[TrackLabel, _Track] = {}
    segments = in_reading_order(plan.segments)
    for planned, upcoming in zip_longest(segments, segments[1:]):
        pieces: list[TrackPiece] = []
        low, high = planned.key.first_sample, min(planned.key.last_sample, ends[planned.key.epoch])
        found = read_back(planned, read)
        if found.lost_from is not None:
            lost += kept_ranges(found.lost_from, high, cuts)
        for label, start_sample, pcm in _runs_of(planned.key, found.records, tally):
            if label.side != "room" or not is_wanted(label):
                continue
            track = tracks.setdefault(label, _Track(label))
            for start, end in kept_ranges(max(start_sample, low), min(start_sample + len(pcm), high), cuts):
                pieces += track.write(start, pcm[start - start_sample : end - start_sample])
        if upcoming is None:
            pieces += [piece for track in tracks.values() for piece in track.finish()]
        else:
            pieces += _silence(tracks, upcoming.key.first_sample)
        yield pieces


def _silence(tracks: dict[TrackLabel, "_Track"], until_sample: int) -> list[TrackPiece]:
    """Bring every track up to there, and let go of those that rest."""
    pieces = [piece for track in tracks.values() for piece in track.silent_until(until_sample)]
    for piece in pieces:
        if piece.rests:
            del tracks[piece.label]
    return pieces


def _runs_of(
    key: SegmentKey, records: Sequence[SegmentRecord], tally: TrackTally
) -> Iterator[tuple[TrackLabel, int, Pcm]]:
    """What a segment holds: whose, from where on, samples."""
    for record in records:
        if record.kind == RecordKind.TRACK:
            tally.learn(key, record)
    for run in contiguous_runs(records):
        yield tally.label(key, run.track), run.start_sample, np.frombuffer(b"".join(run.payloads), dtype="<i2")


class GrowingTracks:
    """The tracks of a recording that still goes on: pieces as `read_tracks` yields them, for records as they come.

    What was heard, or has been passed over as silence, is not heard again: records may come twice or late.

    Attributes:
        missed_sample: the first sample that came too late to be heard; None: none did.
    """

    def __init__(self, is_wanted: Callable[[TrackLabel], bool]) -> None:
        self.missed_sample: int | None = None
        self._is_wanted = is_wanted
        self._tally = TrackTally()
        self._tracks: dict[TrackLabel, _Track] = {}
        self._heard: dict[TrackLabel, int] = {}  # until which sample, of every track
        self._silent_until = 0

    def hear(self, key: SegmentKey, records: Sequence[SegmentRecord]) -> list[TrackPiece]:
        """Take what was appended to the segment `key`, of which only the run counts, in the order of the file."""
        for record in records:
            if record.kind == RecordKind.TRACK:
                self._tally.learn(key, record)
        pieces: list[TrackPiece] = []
        for run in contiguous_runs(records):
            label = self._tally.label(key, run.track)
            if label.side != "room" or not self._is_wanted(label):
                continue
            heard = self._heard.get(label)
            passed = 0 if heard is None else max(heard, self._silent_until)
            heard = heard or 0
            start = max(run.start_sample, passed)
            if run.end_sample <= heard or max(run.start_sample, heard) < min(run.end_sample, passed):
                self._miss(run.start_sample)
            if start >= run.end_sample:
                continue
            track = self._tracks.setdefault(label, _Track(label))
            pcm = np.frombuffer(b"".join(run.payloads), dtype="<i2")
            pieces += track.write(start, pcm[start - run.start_sample :])
            self._heard[label] = track.next_sample
        return pieces

    def silent_until(self, sample: int) -> list[TrackPiece]:
        """Bring every track up to `sample`, before which no more of it is expected."""
        self._silent_until = max(self._silent_until, sample)
        return _silence(self._tracks, sample)

    def _miss(self, sample: int) -> None:
        self.missed_sample = sample if self.missed_sample is None else min(self.missed_sample, sample)


class _Track:
    """Resamples one track; samples are those of the recording where nothing else is said."""

    def __init__(self, label: TrackLabel) -> None:
        self._label = label
        self.next_sample = 0
        self._resampler: soxr.ResampleStream | None = None  # of the stretch that may still go on
        self._end = 0  # at 16 kHz

    def write(self, start_sample: int, pcm: Pcm) -> list[TrackPiece]:
        pieces = [] if start_sample == self.next_sample else self.finish()
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(SAMPLE_RATE, SPEECH_RATE, 1, dtype="int16")
            self._end = max(self._end, _at_speech_rate(start_sample))
        self.next_sample = start_sample + len(pcm)
        return [*pieces, self._piece(self._resampler.resample_chunk(pcm))]

    def silent_until(self, sample: int) -> list[TrackPiece]:
        """Bring the track up to `sample`, before which no more of it comes: what is missing there was silence."""
        if self.next_sample >= sample:
            return []
        pieces = self.finish()
        self._end = max(self._end, _at_speech_rate(sample))
        return [*pieces, TrackPiece(self._label, self._end, _NOTHING, sample - self.next_sample > _RESTING_SAMPLES)]

    def finish(self) -> list[TrackPiece]:
        """What the filter still holds."""
        if self._resampler is None:
            return []
        rest = self._resampler.resample_chunk(_NOTHING, last=True)
        self._resampler = None
        return [self._piece(rest)]

    def _piece(self, samples: Pcm) -> TrackPiece:
        piece = TrackPiece(self._label, self._end, samples)
        self._end = piece.end_sample
        return piece


def _at_speech_rate(sample: int) -> int:
    return round(sample * SPEECH_RATE / SAMPLE_RATE)
