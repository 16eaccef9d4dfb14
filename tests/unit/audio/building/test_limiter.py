"""A voice stays what it is; sums that don't fit are turned down without clipping, without clicks, in any blocks."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from audio.building.build import build_recording
from audio.building.limiter import REACH_SAMPLES, Limiter, limited
from tests.support.samples.stored_segments import StoredSegments, audio, noise, track

SECOND = 48_000
LOWEST, HIGHEST = -32_768, 32_767


def tone(pitch_hz: float, level_dbfs: float = 0.0, seconds: float = 2.0) -> np.ndarray:
    """A sine, int16 of shape (n,)."""
    position = np.arange(round(seconds * SECOND))
    amplitude = HIGHEST * 10 ** (level_dbfs / 20)
    return np.rint(amplitude * np.sin(2 * np.pi * pitch_hz * position / SECOND)).astype(np.int16)


def mixed(*voices: np.ndarray) -> np.ndarray:
    """What a recording of voices that begin together holds."""
    storage = StoredSegments()
    for number, pcm in enumerate(voices):
        storage.store(track(number, f"talker-{number}"), audio(0, pcm, number))
    file = io.BytesIO()
    build_recording(storage.plan(max(map(len, voices))), storage.__getitem__, file)
    file.seek(0)
    samples: np.ndarray = soundfile.read(file, dtype="int16")[0]
    return samples


def summed(*voices: np.ndarray) -> np.ndarray:
    """Shape (1, n), as a limiter takes it."""
    sums: np.ndarray = np.stack(voices).sum(axis=0, dtype=np.int32, keepdims=True)
    return sums


def distortion_percent(samples: np.ndarray, *pitches_hz: float) -> float:
    """The share of what is not the tones themselves, by least squares over whole seconds."""
    position = np.arange(len(samples))
    waves = [wave(2 * np.pi * pitch * position / SECOND) for pitch in pitches_hz for wave in (np.sin, np.cos)]
    basis = np.stack(waves, axis=1)
    heard = samples.astype(np.float64)
    tones = basis @ np.linalg.lstsq(basis, heard, rcond=None)[0]
    return float(100 * np.sqrt(np.mean((heard - tones) ** 2) / np.mean(tones**2)))


def within_reach(sums: np.ndarray) -> np.ndarray:
    """Which of the samples of one channel the gain may touch."""
    reached = np.zeros(len(sums), dtype=bool)
    for at in np.flatnonzero((sums > HIGHEST) | (sums < LOWEST)):
        reached[max(at - REACH_SAMPLES, 0) : at + REACH_SAMPLES + 1] = True
    return reached


@pytest.mark.parametrize("level_dbfs", [0.0, -1.5, -3.0, -9.0])
@pytest.mark.parametrize("pitch_hz", [100.0, 997.0])
def test_a_talker_alone_is_not_distorted(pitch_hz: float, level_dbfs: float) -> None:
    """However loud: less than 0.01 %, which is what 16 bits add by themselves."""
    assert distortion_percent(mixed(tone(pitch_hz, level_dbfs))[:SECOND], pitch_hz) < 0.01


@settings(max_examples=40)
@given(hnp.arrays(np.int16, st.integers(1, 3000), elements=st.integers(LOWEST, HIGHEST)))
def test_a_talker_alone_is_kept_bit_for_bit(pcm: np.ndarray) -> None:
    """Whatever 16 bits can hold, both ends of the scale included; silent talkers beside make no difference."""
    assert np.array_equal(mixed(pcm), pcm)
    assert np.array_equal(mixed(np.zeros_like(pcm), pcm), pcm)


def test_two_talkers_whose_sum_fits_are_added_exactly() -> None:
    """Up to the last step of full scale."""
    ann, bob = tone(440, -6.03), tone(700, -6.03)
    ann[:2], bob[:2] = (16_000, -16_768), (16_767, -16_000)

    assert np.array_equal(mixed(ann, bob), summed(ann, bob)[0])


@pytest.mark.parametrize("pitches_hz", [(100.0, 150.0), (110.0, 440.0), (200.0, 1000.0)])
def test_two_talkers_at_full_scale_are_turned_down_and_not_distorted(pitches_hz: tuple[float, float]) -> None:
    """The gain stands still from peak to peak; clipping would give 24 %."""
    samples = mixed(*(tone(pitch) for pitch in pitches_hz))

    assert distortion_percent(samples[SECOND // 2 : SECOND * 3 // 2], *pitches_hz) < 0.1
    assert 32_000 < np.abs(samples.astype(np.int32)).max() <= HIGHEST


def test_a_talker_is_true_again_soon_before_and_after_a_sum_that_did_not_fit() -> None:
    """15 ms before and after it at the most."""
    ann, bob = tone(200), np.zeros(2 * SECOND, np.int16)
    bob[SECOND // 2 : SECOND] = tone(300, seconds=0.5)
    samples = mixed(ann, bob)

    before, after = SECOND // 2 - REACH_SAMPLES, SECOND + REACH_SAMPLES
    assert np.array_equal(samples[:before], ann[:before])
    assert np.array_equal(samples[after:], ann[after:])
    assert not np.array_equal(samples[before:after], np.clip(summed(ann, bob)[0], LOWEST, HIGHEST)[before:after])


sums_of_voices = st.builds(
    lambda seed, count, spikes, loudness: _sums(seed, count, spikes, loudness),
    st.integers(0, 9999),
    st.integers(1, 6000),
    st.lists(st.tuples(st.integers(0, 5999), st.integers(-(2**31), 2**31 - 1)), max_size=4),
    st.sampled_from([0, 3000, 9000, 30_000]),
)


def _sums(seed: int, count: int, spikes: list[tuple[int, int]], loudness: int) -> np.ndarray:
    """Two channels: several voices' noise of some loudness, and single sums of any size in the first."""
    sums = np.random.default_rng(seed).normal(0, loudness, (2, count)).astype(np.int32)
    for at, value in spikes:
        sums[0, at % count] = value
    return sums


@given(sums_of_voices)
def test_a_sum_that_fits_is_untouched_unless_one_near_it_does_not(sums: np.ndarray) -> None:
    """And no sample changes its sign, grows, or wraps around."""
    pcm = limited(sums).astype(np.int64)

    for channel in (0, 1):
        free = ~within_reach(sums[channel])
        assert np.array_equal(pcm[channel, free], sums[channel, free])
    assert np.all(pcm * sums >= 0)
    assert np.all(np.abs(pcm) <= np.abs(sums.astype(np.int64)))
    assert np.all(np.abs(pcm[:, within_reach(sums[0])]) <= 32_768)


@given(sums_of_voices, st.lists(st.integers(0, 6000), max_size=8))
def test_the_blocks_in_which_sums_come_make_no_difference(sums: np.ndarray, cuts: list[int]) -> None:
    """Any blocks, empty ones too, give what one block gives, and all of it in the end."""
    limiter = Limiter(2)
    pieces = [limiter.push(block) for block in np.split(sums, sorted(min(cut, sums.shape[1]) for cut in cuts), axis=1)]

    pcm = np.concatenate([*pieces, limiter.finish()], axis=1)

    assert np.array_equal(pcm, limited(sums))


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(12_000, 200_000)), min_size=1, max_size=5))
def test_the_gain_moves_smoothly(steps: list[tuple[int, int]]) -> None:
    """From sample to sample by less than 1/250, also where voices set in and stop within one sample."""
    sums = np.repeat([level for _, level in steps], [count for count, _ in steps]).astype(np.int32)

    gains = limited(sums[np.newaxis])[0] / sums

    rounding = 1 / sums.min()
    assert np.abs(np.diff(gains)).max(initial=0.0) < 1 / 250 + rounding


def test_the_voices_of_one_channel_do_not_turn_down_the_other() -> None:
    """The room's crowd on the left, the worker's tone on the right."""
    crowd, sine = noise(1, 5000).astype(np.int32) * 40, noise(2, 5000).astype(np.int32)

    assert np.array_equal(limited(np.stack([crowd, sine]))[1], sine)


def test_where_segments_and_seconds_end_makes_no_difference() -> None:
    """The mix is made second by second; here the gain falls before the end of one and rises after that of another."""
    ann, bob = tone(200, seconds=3.0), np.zeros(3 * SECOND, np.int16)
    bob[SECOND : 2 * SECOND] = tone(300, seconds=1.0)
    storage = StoredSegments()
    for number, pcm in enumerate((ann, bob)):
        for start in range(0, 3 * SECOND, 20_000):
            storage.store(track(number, f"talker-{number}"), audio(start, pcm[start : start + 20_000], number))
    file = io.BytesIO()
    build_recording(storage.plan(3 * SECOND), storage.__getitem__, file)
    file.seek(0)

    assert np.array_equal(soundfile.read(file, dtype="int16")[0], limited(summed(ann, bob))[0])
