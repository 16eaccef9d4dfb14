"""What is loud in either channel is heard, at its level and without clicks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from audio.downmix import Downmix

SECOND = 48_000
BLOCK = 4800

voices = hnp.arrays(np.int16, st.integers(1, 3000), elements=st.integers(-32_767, 32_767))


def tone(pitch_hz: float, amplitude: float = 12_000, seconds: float = 2.0, phase_degrees: float = 0.0) -> np.ndarray:
    """A sine, shape (n,)."""
    position = np.arange(round(seconds * SECOND))
    samples: np.ndarray = amplitude * np.sin(2 * np.pi * pitch_hz * position / SECOND + np.radians(phase_degrees))
    return samples


def voice(seed: int, amplitude: float = 6000, seconds: float = 2.0) -> np.ndarray:
    """Noise without what lies above 3 kHz, shape (n,)."""
    white = np.random.default_rng(seed).normal(0, 1, round(seconds * SECOND))
    spectrum = np.fft.rfft(white)
    spectrum[round(3000 * seconds) :] = 0
    low = np.fft.irfft(spectrum, n=len(white))
    samples: np.ndarray = amplitude * low / np.sqrt(np.mean(low**2))
    return samples


def stereo(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Shape (n, 2), int16."""
    return np.stack([np.rint(left), np.rint(right)], axis=1).astype(np.int16)


def heard(source: np.ndarray, block: int = BLOCK) -> np.ndarray:
    """What one `Downmix` makes of a source that comes in blocks."""
    downmix = Downmix()
    return np.concatenate([downmix.to_mono(source[at : at + block]) for at in range(0, len(source), block)])


def level_db(samples: np.ndarray, than: np.ndarray) -> float:
    """How much louder the first is."""
    return float(10 * np.log10(np.mean(samples.astype(float) ** 2) / np.mean(than.astype(float) ** 2)))


@given(voices, st.integers(1, 3000))
def test_content_that_is_in_both_channels_stays_bit_for_bit(pcm: np.ndarray, block: int) -> None:
    """Mono that was sent as stereo is the rule."""
    assert np.array_equal(heard(np.stack([pcm, pcm], axis=1), block), pcm)


@pytest.mark.parametrize("side", [0, 1])
@given(pcm=voices, block=st.integers(1, 3000))
def test_content_of_one_side_keeps_its_full_level(side: int, pcm: np.ndarray, block: int) -> None:
    """A headset that is plugged in on one side: bit for bit, not 6 dB less."""
    source = np.zeros((len(pcm), 2), np.int16)
    source[:, side] = pcm

    assert np.array_equal(heard(source, block), pcm)


@given(voices, st.integers(1, 3000))
def test_content_in_opposite_phase_is_not_lost(pcm: np.ndarray, block: int) -> None:
    """A cable with one side turned over: bit for bit what the left channel has, not silence."""
    assert np.array_equal(heard(np.stack([pcm, -pcm], axis=1), block), pcm)


@pytest.mark.parametrize("phase_degrees", range(0, 181, 15))
@pytest.mark.parametrize("right_amplitude", [12_000, 6000, 1000])
def test_whatever_the_phase_a_source_is_as_loud_as_its_louder_channel(
    phase_degrees: float, right_amplitude: float
) -> None:
    """From the first sample to the last, within 0.1 dB."""
    left, right = tone(440), tone(440, right_amplitude, phase_degrees=phase_degrees)

    assert level_db(heard(stereo(left, right)), left) == pytest.approx(0, abs=0.1)


def test_two_voices_one_in_each_channel_are_both_heard() -> None:
    """Together as loud as the louder channel, and each as much of it as it was."""
    left, right = voice(1), voice(2)
    mono = heard(stereo(left, right))

    assert level_db(mono, left) == pytest.approx(0, abs=0.5)
    shares = np.linalg.lstsq(np.stack([left, right], axis=1), mono.astype(float), rcond=None)[0]
    assert np.abs(shares) == pytest.approx([0.71, 0.71], abs=0.04)


def test_a_quiet_voice_beside_a_loud_one_is_not_muted() -> None:
    """It is 20 dB below it, as it was."""
    left, right = voice(1), voice(2, 600)
    shares = np.linalg.lstsq(np.stack([left, right], axis=1), heard(stereo(left, right)).astype(float), rcond=None)[0]

    assert abs(shares[1]) == pytest.approx(abs(shares[0]), rel=0.05)


def test_a_source_that_turns_over_is_not_silent_for_a_moment() -> None:
    """From both alike to opposite and back: never 3 dB less for longer than 20 ms."""
    left = voice(3, seconds=6.0)
    right = np.concatenate([left[: 2 * SECOND], -left[2 * SECOND : 4 * SECOND], left[4 * SECOND :]])
    mono = heard(stereo(left, right)).astype(float)

    steps = range(0, len(left), SECOND // 50)
    quiet = [at for at in steps if level_db(mono[at : at + SECOND // 50], left[at : at + SECOND // 50]) < -3]
    assert len(quiet) <= 2


@pytest.mark.parametrize(
    "right",
    [tone(203.5, seconds=4.0), tone(203, seconds=4.0) * np.abs(np.linspace(-1, 1, 4 * SECOND))],
    ids=["its phase turns", "it fades away and back"],
)
def test_a_source_that_changes_makes_no_click(right: np.ndarray) -> None:
    """However the right channel goes away from the left one: no step that a tone of this loudness would not make."""
    left = tone(203, seconds=4.0)

    steps = np.abs(np.diff(heard(stereo(left, right)).astype(float)))
    assert steps.max() < 1.4 * np.abs(np.diff(left)).max()


def test_what_does_not_fit_while_a_channel_turns_over_is_held_at_full_scale() -> None:
    """The first 10 ms of the block still have the gain of the one before."""
    downmix = Downmix()
    downmix.to_mono(stereo(np.full(BLOCK, 9000), np.zeros(BLOCK)))
    left = np.full(BLOCK, 32_767)

    mono = downmix.to_mono(stereo(left, np.where(np.arange(BLOCK) < 480, left, -left)))

    assert mono[0] == 32_767
    assert mono.min() >= 0


@pytest.mark.parametrize("second", [1.0, 0.9, -1.0, -0.9, 0.0])
@pytest.mark.parametrize("first", [1.0, -1.0, 0.0])
def test_a_new_kind_of_content_is_never_much_too_loud(first: float, second: float) -> None:
    """What the right channel has of the left one changes: after 20 ms at most 2 dB more than the louder channel."""
    left = voice(3)
    mono = heard(stereo(left, left * np.repeat([first, second], SECOND))).astype(float)

    for at in range(SECOND + 960, 2 * SECOND, 4800):
        assert level_db(mono[at : at + 4800], left[at : at + 4800]) < 2


def test_two_loud_voices_are_turned_down_and_not_clipped() -> None:
    """Sums of both sides that would not fit: the gain has gone down before, and stays down for a while."""
    left, right = tone(440, 32_000), tone(703, 32_000)
    mono = heard(stereo(left, right)).astype(float)

    basis = np.stack([left, right, tone(440, phase_degrees=90), tone(703, phase_degrees=90)], axis=1)
    rest = mono - basis @ np.linalg.lstsq(basis, mono, rcond=None)[0]
    assert level_db(rest, mono) < -45
    assert np.abs(mono).max() > 30_000


@given(
    st.lists(
        hnp.arrays(np.int16, st.tuples(st.integers(1, 600), st.just(2)), elements=st.integers(-32_768, 32_767)),
        min_size=1,
        max_size=6,
    )
)
def test_nothing_wraps_around(blocks: list[np.ndarray]) -> None:
    """Whatever comes: as many samples, none larger than both channels together would be with the most gain."""
    downmix = Downmix()
    for block in blocks:
        mono = downmix.to_mono(block)
        assert mono.dtype == np.int16
        assert mono.shape == (len(block),)
        assert np.all(np.abs(mono.astype(float)) <= 1.59 * np.abs(block.astype(float)).sum(axis=1) + 1)
