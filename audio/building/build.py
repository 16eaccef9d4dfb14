"""From a frozen plan and the segments' bytes to the recording.

Segments are read one by one in the order of their first samples, their audio is added into a window of 1 s blocks, and
every block before the first sample of the next segment is written: memory doesn't depend on the length.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from audio.building.limiter import Limiter
from audio.building.meters import BuildMeters, RecordingLoudness
from audio.building.mix import MixWindow
from audio.building.peaks import Waveform
from audio.building.wav import WavLabel, WavWriter, digest, open_wav
from audio.levels import dbfs
from audio.pcm import SAMPLE_RATE, Pcm
from audio.ranges import Range, kept_ranges, merged_ranges, position_without
from audio.segments.absences import AbsenceMs, absences_in_ms
from audio.segments.gaps import GAP_PAUSED, GAP_STORAGE, Gap, GapMs, cut_gaps_in_ms, gaps_in_ms
from audio.segments.lasting_gaps import LastingGaps
from audio.segments.plan import BuildPlan, Layout, PlannedSegment
from audio.segments.read_back import read_back
from audio.segments.reading_order import ContiguousRun, contiguous_runs, epoch_ends, in_reading_order
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import RecordKind
from audio.segments.track_tally import TrackSummary, TrackTally

__all__ = ["BuildPlan", "BuildResult", "Gap", "Layout", "PlannedSegment", "SegmentKey", "build_recording"]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What was written, and what is missing from it.

    `length_samples` is the file's; so are all times. `damaged_segments` are the storage keys of segments that were
    missing, cut off or not what their key says; where that cost time there is a `gap.storage`.
    """

    sha256_hex: str
    size_bytes: int
    length_samples: int
    num_channels: int
    sample_rate: int
    layout: Layout
    peak_dbfs: float
    waveform: Waveform
    loudness: RecordingLoudness
    tracks: list[TrackSummary]
    gaps: list[GapMs]
    absences: list[AbsenceMs]
    damaged_segments: list[str]


def build_recording(plan: BuildPlan, read: Callable[[str], bytes], write_to: str | Path | BinaryIO) -> BuildResult:
    """Build the recording that `plan` describes; the same plan and segments give the same bytes.

    `read` returns the bytes of a storage key; KeyError or FileNotFoundError from it make a gap, anything else ends the
    build. `write_to` is a path, or a file object open for reading and writing in binary. Raises OSError if the file
    can't be written.
    """
    build = _Build(plan)
    length_samples = build.file_length
    meters = build.meters = BuildMeters(length_samples, plan.num_channels)
    with open_wav(write_to, length_samples, plan.num_channels, _label(plan)) as wav:
        for planned in in_reading_order(plan.segments):
            build.write_until(planned.key.first_sample, wav)
            build.take(planned, read)
        build.write_until(plan.length_samples, wav)
        build.write_rest(wav)
    sha256_hex, size_bytes = digest(write_to)
    if size_bytes < length_samples * plan.num_channels * 2:
        raise OSError(f"the recording was cut off at {size_bytes} bytes")
    return BuildResult(
        sha256_hex=sha256_hex,
        size_bytes=size_bytes,
        length_samples=length_samples,
        num_channels=plan.num_channels,
        sample_rate=SAMPLE_RATE,
        layout=plan.layout,
        peak_dbfs=round(dbfs(meters.peaks.magnitude), 2),
        waveform=Waveform(meters.peaks.finish(), meters.levels.finish()),
        loudness=meters.loudness(),
        tracks=build.tally.summary(),
        gaps=build.gaps_in_ms(),
        absences=build.absences_in_ms(),
        damaged_segments=build.damaged,
    )


def build_tracks(plan: BuildPlan, read: Callable[[str], bytes], write_to: Mapping[str, Path]) -> dict[str, int]:
    """Build mono files of one identity each, all as long as the recording that `plan` describes, in one pass.

    `write_to` says where, by identity. Otherwise as `build_recording`.

    Returns:
        How many samples of each identity were found: as many as the recording's tracks of that identity have, unless
        a segment was lost or damaged in the meantime.
    """
    plan = replace(plan, layout="mono")
    with ExitStack() as stack:
        builds = []
        for identity, path in write_to.items():
            build = _Build(plan, identity)
            opened = open_wav(path, build.file_length, 1, _label(plan, identity))
            builds.append((build, stack.enter_context(opened)))
        for planned in in_reading_order(plan.segments):
            data = _read_once(planned, read)
            for build, wav in builds:
                build.write_until(planned.key.first_sample, wav)
                build.take(planned, data)
        for build, wav in builds:
            build.write_until(plan.length_samples, wav)
            build.write_rest(wav)
        return {
            identity: sum(track["samples"] for track in build.tally.summary())
            for identity, (build, _) in zip(write_to, builds, strict=True)
        }


def _label(plan: BuildPlan, identity: str | None = None) -> WavLabel | None:
    return None if plan.origin is None else WavLabel(plan.origin, identity)


def _read_once(planned: PlannedSegment, read: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """A reader that gives this segment's bytes, or its absence, to several."""
    found: dict[str, bytes] = {}
    with suppress(KeyError, FileNotFoundError):
        found[planned.storage_key] = read(planned.storage_key)
    return found.__getitem__


class _Build:
    """The state between segments.

    `only` is the one identity that is heard; None: everybody is. `meters`, if there are some, hear what is written.
    """

    def __init__(self, plan: BuildPlan, only: str | None = None) -> None:
        self._only = only
        self.meters: BuildMeters | None = None
        self.tally = TrackTally()
        self.damaged: list[str] = []
        self._cuts = merged_ranges(plan.cuts)
        self._left_out = plan.left_out
        self._unrecorded = plan.gaps
        self._lasting = LastingGaps()
        self._gaps = [*plan.gaps, *(Gap(start, end, GAP_PAUSED) for start, end in self._cuts)]
        self._ranks = plan.ranks
        self._absences: list[Range] = []
        self._length_samples = plan.length_samples
        self._num_channels = plan.num_channels
        self._ends = epoch_ends(plan)
        self._window = MixWindow(plan.num_channels)
        self._limiter = Limiter(plan.num_channels)
        self._next_block = 0
        self._next_sample = 0

    @property
    def file_length(self) -> int:
        """Samples of the file."""
        return position_without(self._length_samples, self._left_out)

    def gaps_in_ms(self) -> list[GapMs]:
        """Every gap, in the file's times."""
        gaps = [*self._gaps, *self._lasting.rests(self._unrecorded)]
        if self._left_out:
            return cut_gaps_in_ms(gaps, self._length_samples, self._left_out, self._ranks)
        return gaps_in_ms(gaps, self._length_samples, self._ranks)

    def absences_in_ms(self) -> list[AbsenceMs]:
        """When nobody was in the room, in the file's times."""
        return absences_in_ms(self._absences, self._length_samples, self._left_out)

    def take(self, planned: PlannedSegment, read: Callable[[str], bytes]) -> None:
        """Read one segment and add what is good of it."""
        key = planned.key
        end_sample = self._ends[key.epoch]
        found = read_back(planned, read)
        if found.lost_from is not None:
            self._damage(planned, found.lost_from)
        for record in found.records:
            if record.kind == RecordKind.TRACK:
                self.tally.learn(key, record)
            elif record.kind == RecordKind.GAP:
                self._lasting.take(key, record)
                gap_end = min(record.end_sample, end_sample)
                self._gaps.append(
                    Gap(record.start_sample, gap_end, record.document["code"], record.document.get("identity"))
                )
            elif record.kind == RecordKind.ABSENCE:
                self._absent(record.start_sample, min(record.end_sample, end_sample))
        # Samples outside the range of the segment's key are dropped: their blocks may be written already.
        for run in contiguous_runs(found.records):
            self._add(key, run, max(key.first_sample, 0), min(key.last_sample, end_sample))

    def write_until(self, sample: int, wav: WavWriter) -> None:
        """Write the whole blocks before `sample`, which no later segment adds to."""
        for index in range(self._next_block, min(sample, self._length_samples) // SAMPLE_RATE):
            self._write_block(index, SAMPLE_RATE, wav)

    def write_rest(self, wav: WavWriter) -> None:
        """Write the last, partial block, and what the limiter held back."""
        self._write_block(self._next_block, self._length_samples % SAMPLE_RATE, wav)
        self._write(self._limiter.finish(), wav)

    def _write_block(self, index: int, length: int, wav: WavWriter) -> None:
        self._next_block = index + 1
        mix = self._window.take(index)
        sums = np.zeros((self._num_channels, length), dtype=np.int32) if mix is None else mix[:, :length]
        self._write(self._limiter.push(sums), wav)

    def _write(self, pcm: Pcm, wav: WavWriter) -> None:
        start_sample, self._next_sample = self._next_sample, self._next_sample + pcm.shape[1]
        for start, end in kept_ranges(start_sample, self._next_sample, self._left_out):
            kept = pcm[:, start - start_sample : end - start_sample]
            if self.meters is not None:
                self.meters.hear_mix(kept)
            wav.write(kept.T)

    def _add(self, key: SegmentKey, run: ContiguousRun, low: int, high: int) -> None:
        label = self.tally.label(key, run.track)
        if self._only is not None and label.identity != self._only:
            return
        channel = 1 if self._num_channels == 2 and label.side == "worker" else 0
        pcm = np.frombuffer(b"".join(run.payloads), dtype="<i2")
        for start, end in kept_ranges(max(run.start_sample, low), min(run.end_sample, high), self._cuts):
            samples = pcm[start - run.start_sample : end - run.start_sample]
            self._window.add(channel, start, samples)
            position = position_without(start, self._left_out)
            self.tally.count(label, position, end - start)
            if self.meters is not None:
                self.meters.hear_track(label, position, samples)

    def _damage(self, planned: PlannedSegment, from_sample: int) -> None:
        self.damaged.append(planned.storage_key)
        end_sample = min(planned.key.last_sample, self._ends[planned.key.epoch])
        for start, end in kept_ranges(from_sample, end_sample, self._cuts):
            self._gaps.append(Gap(start, end, GAP_STORAGE))
        for gap in planned.gaps:
            gap_end = min(gap.end_sample, self._ends[planned.key.epoch])
            self._gaps.append(Gap(gap.start_sample, gap_end, gap.code, gap.identity))
        for start, end in planned.absences:
            self._absent(start, min(end, self._ends[planned.key.epoch]))

    def _absent(self, start: int, end: int) -> None:
        self._absences.extend(kept_ranges(start, end, self._cuts))
