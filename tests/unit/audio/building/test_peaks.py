"""Peaks of the file and levels of its participants, as the build finds them."""

import io

import numpy as np
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio.building.build import BuildPlan, build_recording
from audio.building.peaks import SAMPLES_PER_LEVEL, SAMPLES_PER_PEAK, LevelMeter, PeakMeter
from audio.pcm import SAMPLE_RATE
from tests.support.samples.stored_segments import StoredSegments, audio, level, noise, track


def _int8(data: bytes) -> NDArray[np.int8]:
    return np.frombuffer(data, dtype=np.int8)


@given(st.lists(st.integers(1, 2500), min_size=1, max_size=8), st.integers(1, 2))
def test_where_blocks_are_cut_makes_no_difference(lengths: list[int], num_channels: int) -> None:
    """Each cell has the lowest and the highest of its samples; the last one of those that there are."""
    total = sum(lengths)
    pcm = noise(total, num_channels * total).reshape(num_channels, total)
    meter = PeakMeter(total, num_channels)
    for end, length in zip(np.cumsum(lengths), lengths, strict=True):
        meter.push(pcm[:, end - length : end])
    expected = [
        bound >> 8
        for first in range(0, total, SAMPLES_PER_PEAK)
        for channel in pcm[:, first : first + SAMPLES_PER_PEAK].astype(int)
        for bound in (channel.min(), channel.max())
    ]
    assert _int8(meter.finish()).tolist() == expected
    assert meter.magnitude == np.abs(pcm.astype(int)).max()


def test_silence_is_flat_and_full_scale_fills() -> None:
    """The edges of int8, and of the levels."""
    meter = PeakMeter(2 * SAMPLES_PER_PEAK, 1)
    meter.push(np.concatenate((level(0, SAMPLES_PER_PEAK), level(-32768, 1), level(32767, SAMPLES_PER_PEAK - 1)))[None])
    assert _int8(meter.finish()).tolist() == [0, 0, -128, 127]
    levels = LevelMeter(3 * SAMPLES_PER_LEVEL)
    levels.add("ann", SAMPLES_PER_LEVEL, np.concatenate((level(-32768, 1), level(16384, SAMPLES_PER_LEVEL))))
    assert _int8(levels.finish()["ann"]).tolist() == [-96, 0, -6]
    assert PeakMeter(0, 1).magnitude == 0


def test_a_recording_comes_with_its_waveform() -> None:
    """At the file's times: what a pause cuts out is in neither; the worker's own sound is no participant's."""
    segments = StoredSegments()
    segments.store(track(1, "ann"), audio(0, level(100, SAMPLE_RATE)))
    segments.store(track(2, "bob"), audio(2 * SAMPLE_RATE, level(3277, SAMPLE_RATE), 2), sequence=2)
    segments.store(track(3, "sine", side="worker"), audio(0, level(1000, SAMPLE_RATE), 3), sequence=3)
    cut = ((SAMPLE_RATE, 2 * SAMPLE_RATE),)
    plan: BuildPlan = segments.plan(3 * SAMPLE_RATE, cuts=cut, on_pause="cut", layout="stereo")
    file = io.BytesIO()
    result = build_recording(plan, segments.__getitem__, file)
    file.seek(0)
    samples, _ = soundfile.read(file, dtype="int16")
    cells = samples.reshape(-1, SAMPLES_PER_PEAK, 2)
    expected = np.stack((cells.min(axis=1), cells.max(axis=1)), axis=2) >> 8
    assert _int8(result.waveform.peaks).tolist() == expected.ravel().tolist()
    assert list(result.waveform.levels) == ["ann", "bob"]
    assert _int8(result.waveform.levels["ann"]).tolist() == [-50] * 10 + [-96] * 10
    assert _int8(result.waveform.levels["bob"]).tolist() == [-96] * 10 + [-20] * 10
