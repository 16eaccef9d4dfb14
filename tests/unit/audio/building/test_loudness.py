"""Loudness after ITU-R BS.1770-4: what EBU Tech 3341 (2016) requires at least, as far as two channels have it."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio.building import loudness
from audio.building.loudness import Loudness, LoudnessMeter
from audio.pcm import FULL_SCALE, SAMPLE_RATE, Pcm
from tests.support.samples.stored_segments import level, noise


def tone(dbfs: float, seconds: float, hertz: float = 1000.0, phase: float = 0.0) -> Pcm:
    """A sine whose peak is at so many dB."""
    turns = hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE + phase / 360
    magnitude = FULL_SCALE * 10 ** (dbfs / 20)
    samples: Pcm = np.rint(magnitude * np.sin(2 * np.pi * turns)).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return samples


def measured(*channels: Pcm) -> Loudness:
    meter = LoudnessMeter(len(channels))
    meter.push(np.stack(channels))
    return meter.finish().loudness()


@pytest.mark.parametrize(
    ("steps", "lufs"),
    [
        ([(-23, 20)], -23.0),  # test 1
        ([(-33, 20)], -33.0),  # 2
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),  # 3: the relative gate
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),  # 4: both gates
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),  # 5
    ],
)
def test_integrated_loudness_is_that_of_ebu_tech_3341(steps: Sequence[tuple[float, float]], lufs: float) -> None:
    """In both channels at once, within 0.1 LU."""
    signal = np.concatenate([tone(dbfs, seconds) for dbfs, seconds in steps])
    found = measured(signal, signal).integrated_lufs
    assert found == pytest.approx(lufs, abs=0.1001)


@pytest.mark.parametrize(
    ("divisor", "phase", "dbfs", "dbtp"),
    [(4, 0, -6, -6), (4, 45, -6, -6), (6, 60, -6, -6), (8, 67.5, -6, -6), (4, 45, 3, 3)],  # tests 15 to 19
)
def test_true_peaks_are_those_of_ebu_tech_3341(divisor: int, phase: float, dbfs: float, dbtp: float) -> None:
    """Between the samples, within +0.2 and -0.4 dB; faded in and out, as an edge has a peak of its own."""
    signal = tone(dbfs, 0.5, SAMPLE_RATE / divisor, phase)
    fade = np.minimum(np.arange(len(signal)) / 2400, 1)
    found = measured((signal * fade * fade[::-1]).astype(np.int16)).true_peak_dbtp
    assert found is not None
    assert dbtp - 0.4 <= found <= dbtp + 0.2


def test_silence_has_no_loudness_and_what_is_below_the_gate_has_none_either() -> None:
    """Both are null rather than a number that means nothing."""
    assert measured(level(0, SAMPLE_RATE)) == Loudness(None, None)
    assert measured(level(0, 0)) == Loudness(None, None)
    quiet = measured(tone(-75, 2))
    assert quiet.integrated_lufs is None
    assert quiet.true_peak_dbtp == pytest.approx(-75, abs=0.5)


@settings(max_examples=15)
@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=6), st.integers(1, 2))
def test_where_blocks_are_cut_makes_no_difference(lengths: list[int], num_channels: int) -> None:
    """Loudness to a tenth, the peak too."""
    total = sum(lengths)
    pcm = noise(total, num_channels * total).reshape(num_channels, total)
    cut, whole = LoudnessMeter(num_channels), LoudnessMeter(num_channels)
    for end, length in zip(np.cumsum(lengths), lengths, strict=True):
        cut.push(pcm[:, end - length : end])
    whole.push(pcm)
    assert _near(cut.finish().loudness(), whole.finish().loudness())


@settings(max_examples=15)
@given(st.integers(0, 60_000), st.integers(0, 400_000))
def test_silence_that_is_left_out_makes_no_difference(before: int, silence: int) -> None:
    """Between two loud pieces, however long they and it are."""
    short, long = LoudnessMeter(1), LoudnessMeter(1)
    for meter in (short, long):
        meter.push(noise(1, before)[np.newaxis])
    short.push_silence(silence)
    long.push(np.zeros((1, silence), dtype=np.int16))
    for meter in (short, long):
        meter.push(noise(2, 50_000)[np.newaxis] // 4)
    assert _near(short.finish().loudness(), long.finish().loudness())


def test_the_weighting_is_the_recursive_filter_of_the_standard() -> None:
    """In blocks as from sample to sample, with a constant in it and after a state that is not zero."""
    pcm: Pcm = (noise(3, 14_400) // 4 + 5000).astype(np.int16)
    expected = (_weighted(pcm).reshape(3, -1) ** 2).mean(axis=1) / FULL_SCALE**2
    state = np.zeros(4)
    found = [loudness._FILTER.energies(hop, state)[0] for hop in pcm.reshape(3, -1)]
    assert np.allclose(found, expected, rtol=1e-4)


def _weighted(pcm: Pcm) -> NDArray[np.float64]:
    samples = pcm.astype(np.float64)
    for (b0, b1, b2), (_, a1, a2) in loudness._STAGES:
        last = before = 0.0
        out = np.empty_like(samples)
        for index, sample in enumerate(samples):
            state = sample - a1 * last - a2 * before
            out[index] = b0 * state + b1 * last + b2 * before
            last, before = state, last
        samples = out
    return samples


def _near(one: Loudness, other: Loudness) -> bool:
    for left, right in (
        (one.integrated_lufs, other.integrated_lufs),
        (one.true_peak_dbtp, other.true_peak_dbtp),
    ):
        if (left is None) != (right is None) or (left is not None and right is not None and abs(left - right) > 0.1001):
            return False
    return True
